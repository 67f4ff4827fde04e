// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// A digest as a value of fixed size: it holds no array.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    public let algorithm: DigestAlgorithm
    /// The digest, and zeros up to the longest one.
    private var storage: [8 of UInt64]

    /// Hashes `bytes` at one go.
    public init(hashing bytes: Span<UInt8>, with algorithm: DigestAlgorithm) {
        var running = RunningDigest(algorithm)
        running.update(bytes)
        self = running.finish()
    }

    /// Takes a digest that was made elsewhere.
    public init(_ bytes: Span<UInt8>, of algorithm: DigestAlgorithm) throws(CryptographyError) {
        guard bytes.count == algorithm.count else {
            throw .wrongLength("a \(algorithm.rawValue) digest", bytes.count, expected: "\(algorithm.count)")
        }
        unsafe self.init(algorithm) { target in
            for index in bytes.indices { unsafe target[index] = bytes[index] }
        }
    }

    /// Zeros, such as stand where a chain has no digest before the first one.
    public init(zerosOf algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        storage = [8 of UInt64](repeating: 0)
    }

    /// `fill` writes the digest to the start of 64 zero bytes.
    init(_ algorithm: DigestAlgorithm, filledBy fill: (UnsafeMutablePointer<UInt8>) -> Void) {
        self.init(zerosOf: algorithm)
        unsafe withUnsafeMutableBytes(of: &storage) { raw in
            if let base = raw.baseAddress { unsafe fill(base.assumingMemoryBound(to: UInt8.self)) }
        }
    }

    public var count: Int { algorithm.count }

    /// A copy of the digest.
    public var bytes: [UInt8] { withBytes { Array(copying: $0) } }

    /// Lends the digest without a copy.
    public func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let count = algorithm.count
        return unsafe try withUnsafeBytes(of: storage) { (raw) throws(Failure) in
            unsafe try body(raw.bindMemory(to: UInt8.self).span.extracting(first: count))
        }
    }

    /// The digest in hexadecimal, lower case.
    public var description: String { withBytes { Hex.encode($0) } }

    public static func == (one: Digest, other: Digest) -> Bool {
        guard one.algorithm == other.algorithm else { return false }
        for index in one.storage.indices where one.storage[index] != other.storage[index] { return false }
        return true
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(algorithm)
        for index in storage.indices { hasher.combine(storage[index]) }
    }
}
