// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics

extension RunningDigest {
    /// Goes on where another computation stopped.
    public init(resuming midstate: Midstate) {
        self.init(midstate.algorithm)
        let bits = midstate.count << 3
        let tail = midstate.tail
        if algorithm == .sha256 {
            withState(as: SHA256_CTX.self) { state in
                unsafe withUnsafeMutableBytes(of: &state.h) { words in
                    for (index, word) in midstate.chaining.enumerated() {
                        let narrow = UInt32(truncatingIfNeeded: word)
                        unsafe words.storeBytes(of: narrow, toByteOffset: 4 * index, as: UInt32.self)
                    }
                }
                state.Nl = UInt32(truncatingIfNeeded: bits)
                state.Nh = UInt32(truncatingIfNeeded: bits >> 32)
                state.num = UInt32(tail.count)
                unsafe withUnsafeMutableBytes(of: &state.data) { unsafe $0.copyBytes(from: tail) }
            }
        } else {
            withState(as: SHA512_CTX.self) { state in
                unsafe withUnsafeMutableBytes(of: &state.h) { words in
                    for (index, word) in midstate.chaining.enumerated() {
                        unsafe words.storeBytes(of: word, toByteOffset: 8 * index, as: UInt64.self)
                    }
                }
                state.Nl = bits
                state.num = UInt32(tail.count)
                unsafe withUnsafeMutableBytes(of: &state.u) { unsafe $0.copyBytes(from: tail) }
            }
        }
    }

    /// The state at this point; only SHA-256, SHA-384 and SHA-512 can be carried away.
    public func midstate() throws(CryptographyError) -> Midstate {
        var copy = self
        switch algorithm {
        case .sha256:
            return copy.withState(as: SHA256_CTX.self) { state in
                let count = (UInt64(state.Nh) << 32 | UInt64(state.Nl)) >> 3
                let words = unsafe withUnsafeBytes(of: &state.h) {
                    unsafe $0.bindMemory(to: UInt32.self).map { UInt64($0) }
                }
                let length = Int(state.num)
                let tail = unsafe withUnsafeBytes(of: &state.data) { unsafe Array($0.prefix(length)) }
                return Midstate(algorithm: algorithm, chaining: words, count: count, tail: tail)
            }
        case .sha384, .sha512:
            return copy.withState(as: SHA512_CTX.self) { state in
                // The count is below 2^61 bytes unless somebody hashes for thousands of years.
                let count = state.Nh << 61 | state.Nl >> 3
                let words = unsafe withUnsafeBytes(of: &state.h) {
                    unsafe Array($0.bindMemory(to: UInt64.self))
                }
                let length = Int(state.num)
                let tail = unsafe withUnsafeBytes(of: &state.u) { unsafe Array($0.prefix(length)) }
                return Midstate(algorithm: algorithm, chaining: words, count: count, tail: tail)
            }
        default:
            throw Midstate.refused("\(algorithm.rawValue) has none")
        }
    }

    /// Lends the library's own view of the state.
    private mutating func withState<State, Result>(
        as type: State.Type, _ body: (inout State) -> Result
    ) -> Result {
        unsafe withUnsafeMutableBytes(of: &context) { raw in
            // The words are as many as the largest state needs (asserted in the shim).
            unsafe body(&raw.assumingMemoryBound(to: type)[0])
        }
    }
}
