// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import MariaDB
internal import Settings
internal import Storage

extension AdminProgram {
    func verifyChains(_ invocation: Invocation) async throws {
        let known = try invocation.text("head").map { [try Self.head($0)] } ?? []
        let settings = try settings(invocation)
        let pool = try DatabasePool(settings.database)
        try await SchemaVersion.check(pool)
        let storage = ControlStorage(pool)
        let check = ChainCheck(audit: storage, records: storage)
        let head = try await check.auditHead(known: known)
        tell("audit  \(head.sequence) entries  \(Self.text(head))")
        for (server, head) in try await check.recordHeads() {
            tell("records of \(server)  \(head.sequence)  \(Self.text(head))")
        }
        await pool.close()
    }

    private static func text(_ head: ChainHead) -> String {
        "\(head.sequence):\(Hex.encode(head.digest.bytes))"
    }

    private static func head(_ text: String) throws -> ChainHead {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = UInt64(parts[0]),
            let bytes = try? Hex.decode(String(parts[1])),
            let digest = try? Digest(bytes.span, of: .sha256)
        else {
            throw ControlError(
                .badArguments, "--head: a number, \":\" and a SHA-256, as `audit verify` tells it")
        }
        return ChainHead(sequence: sequence, digest: digest)
    }
}
