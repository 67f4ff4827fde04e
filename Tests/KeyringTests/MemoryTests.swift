// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Foundation
import Glibc
import Keyring
import Secrets
import Signatures
import TestSupport
import Testing

/// Where the private number of a key stands in this process's memory while it is sealed, opened, used and let go of.
@Suite(.needs(.noSanitizer)) struct MemoryTests {
    /// 24 bytes of the number, masked: as encodings have it, and as the library does (least byte first).
    private struct Canary {
        let encoded: [UInt8]
        let limbs: [UInt8]

        static let mask: UInt8 = 0xa5

        init(_ key: PrivateKey) throws {
            let export = try key.pkcs8()
            // Behind the number of 32 bytes are five of headers and the public point of 65.
            let start = export.count - 32 - 5 - 65
            encoded = (0..<24).map { export.bytes[start + $0] ^ Self.mask }
            limbs = encoded.reversed()
        }
    }

    private func count(_ canary: Canary) throws -> [Int] {
        [try Self.count(canary.encoded), try Self.count(canary.limbs)]
    }

    @Test func aSealedKeyLeavesNothingBehind() async throws {
        let cluster = try await ClusterKey.make(.data, wrappedBy: StubKMS(), at: Samples.now).key
        let (stored, canary) = try made(under: cluster)
        #expect(try count(canary) == [0, 0])
        try used(stored, under: cluster, canary)
        #expect(try count(canary) == [0, 0])
    }

    @inline(never) private func made(under cluster: ClusterKey) throws -> (StoredKey, Canary) {
        let key = try PrivateKey.generate(.p256)
        let canary = try Canary(key)
        // That the scan finds what is there.
        #expect(try count(canary)[1] > 0)
        return (try cluster.seal(key, for: Samples.key(pair: key)), canary)
    }

    @inline(never) private func used(_ stored: StoredKey, under cluster: ClusterKey, _ canary: Canary) throws
    {
        let key = try SigningKey(cluster.unseal(stored))
        // Opened it stands where the library keeps it, and its encoding is gone already.
        let found = try count(canary)
        #expect(found[0] == 0 && found[1] > 0, "\(found)")
        #expect(key.record == stored.record)
    }

    // MARK: The scan

    private static func count(_ masked: [UInt8]) throws -> Int {
        let size = 1 << 20
        let mapped = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let buffer = try unsafe #require(mapped)
        defer { unsafe _ = munmap(buffer, size) }
        let own = UInt(bitPattern: buffer)
        let memory = unsafe open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
        try #require(memory >= 0)
        defer { close(memory) }
        var found = 0
        for region in try regions() where !region.overlaps(own..<own + UInt(size)) {
            var start = region.lowerBound
            while start < region.upperBound {
                let wanted = min(size, Int(region.upperBound - start))
                let got = unsafe pread(memory, buffer, wanted, Int(bitPattern: start))
                guard got > 0 else { break }
                found += unsafe occurrences(of: masked, in: UnsafeRawBufferPointer(start: buffer, count: got))
                if got <= masked.count || start + UInt(got) >= region.upperBound { break }
                start += UInt(got - masked.count + 1)
            }
        }
        return found
    }

    private static func occurrences(of masked: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var (found, place) = (0, 0)
        while bytes.count - place >= masked.count,
            let next = unsafe memchr(base + place, Int32(masked[0] ^ Canary.mask), bytes.count - place)
        {
            place = unsafe UnsafeRawPointer(next) - base
            var index = 0
            while index < masked.count, place + index < bytes.count,
                unsafe bytes[place + index] ^ Canary.mask == masked[index]
            { index += 1 }
            if index == masked.count { found += 1 }
            place += 1
        }
        return found
    }

    private static func regions() throws -> [Range<UInt>] {
        try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n").compactMap {
            line in
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard words[1].hasPrefix("rw"), ends.count == 2 else { return nil }
            return ends[0]..<ends[1]
        }
    }
}
