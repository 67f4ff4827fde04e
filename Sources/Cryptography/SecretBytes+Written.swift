// SPDX-License-Identifier: Apache-2.0

internal import Secrets

extension SecretBytes {
    /// Lets the library write up to `capacity` bytes in place; `write` returns how many it wrote.
    init(capacity: Int, writtenBy write: (UnsafeMutablePointer<UInt8>) throws -> Int) throws {
        try self.init(capacity: capacity) { output in
            try unsafe output.withUnsafeMutableBufferPointer { buffer, count in
                // A secret of no bytes still has an address.
                guard let base = buffer.baseAddress else { return }
                let written = unsafe try write(base)
                precondition(written <= buffer.count, "the library wrote past the end")
                count = written
            }
        }
    }
}
