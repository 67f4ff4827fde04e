// SPDX-License-Identifier: Apache-2.0

internal import ControlService
internal import Storage

let controlTargets: [FuzzTarget] = [
    FuzzTarget("backup") { input in
        var rest = input[...]
        let source: (Int) -> [UInt8] = { count in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        guard var reader = try? BackupReader(source) else { return }
        var written = BackupFrame.magic + BackupFrame.head(reader.head).encoded
        var rows: UInt64 = 0
        do {
            while let frame = try reader.next() {
                if case .row = frame { rows += 1 }
                written += frame.encoded
            }
        } catch { return }
        guard let seal = reader.seal else { throw BrokenPromise("a backup that ends without a code") }
        written += BackupFrame.end(rows: rows).encoded + BackupFrame.code(seal.code).encoded
        guard written == input else { throw BrokenPromise("a backup that is not written as it was read") }
    },
    FuzzTarget("rest-document") { input in try APIDocuments.tryAll(input) },
    FuzzTarget("timestamp") { input in
        guard let text = APIDocuments.timestamp(String(decoding: input, as: UTF8.self)) else { return }
        guard APIDocuments.timestamp(text) == text else {
            throw BrokenPromise("a timestamp that is not read as it is written: \(text)")
        }
    },
]
