// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// RPM packages and source packages: OpenPGP signatures of the main header, which names the payload's digest, and in
/// old packages of header and payload.
struct PackageKind: VerifiedKind {
    let kind = SigningKind.rpm

    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        let reading = try PackageReading(of: path)
        if let damage = reading.damage { throw VerificationError(damage.code, "\(path): \(damage.message)") }
        guard detached == nil else {
            throw VerificationError(
                .unsupported,
                "\(path): a package has its signatures inside; for one of the whole file ask for "
                    + "the kind generic")
        }
        return SignedFile(
            package: reading.package,
            signatures: reading.signatures.map { signature in
                { keys, time in try judge(signature, in: reading, keys, time) }
            })
    }

    /// Where the header does not name the payload's digest, a signature of the header vouches for any payload.
    private func judge(
        _ signature: PackageReading.Signature, in reading: PackageReading, _ keys: TrustedKeys, _ time: Int64
    ) throws -> SignatureVerdict {
        let verdict = try SignedDocument.judge(signature.packet, keys) { certificate in
            // What has no digest here is refused for its algorithm, whatever the content.
            let running = signature.running ?? RunningDigest(.sha256)
            return try certificate.verdict(on: signature.packet, after: running, at: time)
        }
        let coversAll = signature.coversPayload || !reading.payloadDigests.isEmpty
        return verdict.isValid && !coversAll ? verdict.refused(.partial) : verdict
    }

    func inspect(_ path: String, detached: [UInt8]?, into inspection: inout Inspection) throws {
        let reading = try PackageReading(of: path)
        inspection.name = reading.package.description
        inspection.version = reading.package.version
        inspection.add("type", reading.package.isSource ? "source package" : "package")
        if let vendor = reading.package.vendor { inspection.add("vendor", vendor) }
        inspection.add(
            "payload", "\(reading.payloadSize) bytes" + (reading.compressor.map { ", \($0)" } ?? ""))
        inspection.add("room for signatures", reading.room.map { "\($0) bytes" } ?? "none")
        if reading.hasFileSignatures { inspection.add("file signatures", "yes") }
        for check in reading.checks {
            inspection.add(
                digest: check.announced, check.algorithm, of: check.subject, check.isGood ? .good : .bad)
        }
        if let damage = reading.damage { inspection.add(problem: damage.message) }
        inspection.claim =
            reading.payloadDigests.isEmpty
            ? "header and payload, since the header names no digest of the payload"
            : "the header of \(reading.headerSize) bytes"
        inspection.judge(reading, by: Taker<PackageReading>.all)
        guard detached == nil else { return }
        inspection.found = reading.signatures.map(\.packet.verdictWithoutSigner)
    }
}
