// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A secret that stands in this process's memory only where somebody put it: here it is kept under a mask.
struct Canary {
    let masked: [UInt8]

    /// From hexadecimal digits, masked already, since arguments are memory too.
    init(hex: String) {
        let digits = Array(hex.utf8).map { UInt8($0 < 0x3a ? $0 - 0x30 : $0 - 0x57) }
        masked = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    init(masked: [UInt8]) { self.masked = masked }

    static let mask: UInt8 = 0xa5

    func fill(_ output: inout OutputSpan<UInt8>) {
        for byte in masked { output.append(byte ^ Self.mask) }
    }

    /// The first eight bytes as they would stand in a register.
    var word: UInt {
        var word: UInt = 0
        for byte in masked[..<8] { word = word << 8 | UInt(byte ^ Self.mask) }
        return word
    }
}

/// This process's own memory, opened while that is allowed.
@safe struct OwnMemory: ~Copyable {
    private let descriptor = unsafe open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
    private let maps = unsafe open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
    /// The buffer is left out of the scan: it holds what was read.
    private let size = 1 << 20
    private let buffer: UnsafeMutableRawPointer

    init() {
        unsafe buffer = mmap(nil, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard descriptor >= 0, maps >= 0 else { fatalError("/proc/self/mem cannot be opened: \(errno)") }
    }

    /// How often the canary stands in readable memory, or in the part of it that the system calls `name`.
    func count(_ canary: Canary, in name: String = "") -> Int {
        let needle = canary.masked
        var found = 0
        for region in regions(name) {
            var start = region.lowerBound
            while start < region.upperBound {
                let wanted = min(size, Int(region.upperBound - start))
                let got = unsafe pread(descriptor, buffer, wanted, Int(bitPattern: start))
                guard got > 0 else { break }
                found += unsafe occurrences(of: needle, in: UnsafeRawBufferPointer(start: buffer, count: got))
                if got <= needle.count || start + UInt(got) >= region.upperBound { break }
                // Pieces overlap by less than a whole canary.
                start += UInt(got - needle.count + 1)
            }
        }
        unsafe memset(buffer, 0, size)
        return found
    }

    private func occurrences(of needle: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var (found, place) = (0, 0)
        while bytes.count - place >= needle.count,
            let next = unsafe memchr(base + place, Int32(needle[0] ^ Canary.mask), bytes.count - place)
        {
            place = unsafe UnsafeRawPointer(next) - base
            var index = 0
            while index < needle.count, place + index < bytes.count,
                unsafe bytes[place + index] ^ Canary.mask == needle[index]
            { index += 1 }
            if index == needle.count { found += 1 }
            place += 1
        }
        return found
    }

    private func regions(_ name: String) -> [Range<UInt>] {
        let own = UInt(bitPattern: unsafe buffer)
        var text: [UInt8] = []
        var piece: [UInt8] = Array(repeating: 0, count: 65536)
        lseek(maps, 0, SEEK_SET)
        while case let count = unsafe read(maps, &piece, piece.count), count > 0 { text += piece[..<count] }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard words[1].hasPrefix("r"), ends.count == 2, ends[0] != own, !line.hasSuffix("[vvar]"),
                line.hasSuffix(name)
            else {
                return nil
            }
            // The buffer may have been joined to its neighbours.
            guard !(ends[0]..<ends[1]).contains(own) else {
                return own > ends[0] ? ends[0]..<own : nil
            }
            return ends[0]..<ends[1]
        }
    }
}
