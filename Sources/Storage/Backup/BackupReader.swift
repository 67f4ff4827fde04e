// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
internal import Keyring
internal import MariaDB

/// Reads a backup piece by piece, from its head to its code, and refuses one that is cut off or goes on behind it.
public struct BackupReader {
    private let source: (Int) throws -> [UInt8]
    private var running = RunningDigest(.sha256)
    public let head: BackupHead
    /// Of all before the code; the code itself once it was read.
    public private(set) var seal: (digest: Digest, code: [UInt8])?
    private var rows: UInt64 = 0
    private var columns: [String]?
    private var isAtEnd = false

    /// `source` gives as many bytes as it is asked for, or all that are left.
    public init(_ source: @escaping (Int) throws -> [UInt8]) throws {
        self.source = source
        let magic = try source(BackupFrame.magic.count)
        guard magic == BackupFrame.magic else { throw BackupFrame.malformed("it begins as something else") }
        running.update(magic.span)
        guard case .head(let head) = try Self.frame(source, &running) else {
            throw BackupFrame.malformed("its head is missing")
        }
        self.head = head
    }

    /// A table that begins, or a row of the last one; nil behind the last row.
    public mutating func next() throws -> BackupFrame? {
        guard !isAtEnd else { return nil }
        let frame = try Self.frame(source, &running)
        switch frame {
        case .table(_, let columns):
            self.columns = columns
            return frame
        case .row(let values):
            guard values.count == columns?.count else {
                throw BackupFrame.malformed("a row of another width")
            }
            rows += 1
            return frame
        case .end(let told):
            guard told == rows else { throw BackupFrame.malformed("\(rows) rows of \(told)") }
            let digest = running.finish()
            guard case .code(let code) = try Self.frame(source, &running) else {
                throw BackupFrame.malformed("its code is missing")
            }
            guard try source(1).isEmpty else {
                throw BackupFrame.malformed("something stands behind its end")
            }
            seal = (digest, code)
            isAtEnd = true
            return nil
        case .head, .code: throw BackupFrame.malformed("a head or a code in the middle")
        }
    }

    private static func frame(_ source: (Int) throws -> [UInt8], _ running: inout RunningDigest) throws
        -> BackupFrame
    {
        let front = try exactly(5, source)
        let count = front[1...].reduce(0) { $0 << 8 | Int($1) }
        guard count <= BackupFrame.largest else { throw BackupFrame.malformed("a frame of \(count) bytes") }
        let body = try exactly(count, source)
        running.update(front.span)
        running.update(body.span)
        return try BackupFrame(kind: front[0], body: body)
    }

    private static func exactly(_ count: Int, _ source: (Int) throws -> [UInt8]) throws -> [UInt8] {
        let bytes = try source(count)
        guard bytes.count == count else { throw BackupFrame.malformed("it is cut off") }
        return bytes
    }
}
