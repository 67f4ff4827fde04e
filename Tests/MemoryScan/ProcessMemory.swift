// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The memory of a process: this one's, opened while that is allowed, or another's, for whoever may trace it.
///
/// ```swift
/// let memory = try ProcessMemory(of: server)
/// let places = memory.places(of: Canary(of: seed))   // places.locked, places.elsewhere
/// ```
@safe public struct ProcessMemory: ~Copyable {
    public struct Unreadable: Error, CustomStringConvertible {
        public let description: String
    }

    /// How often a canary was found.
    public struct Places: Equatable, Sendable, CustomStringConvertible {
        /// In pages that are locked, so that they are not written to a disk.
        public var locked = 0
        public var elsewhere = 0

        public init(locked: Int = 0, elsewhere: Int = 0) {
            (self.locked, self.elsewhere) = (locked, elsewhere)
        }

        public var description: String { "\(locked) locked, \(elsewhere) elsewhere" }
    }

    private struct Region {
        var range: Range<UInt>
        var name: String
        var isLocked = false
    }

    private let memory: Int32
    /// What regions there are, quickly, and with what is known of each.
    private let maps: Int32
    private let details: Int32
    /// What was read, and behind it, as it is, what is sought; in this process it is left out of the scan.
    private let buffer: UnsafeMutableRawPointer
    private let isOwn: Bool
    private static let size = 1 << 20
    private static let mapped = (1 << 20) + 4096
    /// What a sanitizer keeps beside the memory is larger than all of it.
    private static let largestRegion: UInt = 1 << 32

    public init() throws { try self.init("self") }

    public init(of process: Int32) throws { try self.init("\(process)") }

    private init(_ process: String) throws {
        memory = unsafe open("/proc/\(process)/mem", O_RDONLY | O_CLOEXEC)
        maps = unsafe open("/proc/\(process)/maps", O_RDONLY | O_CLOEXEC)
        details = unsafe open("/proc/\(process)/smaps", O_RDONLY | O_CLOEXEC)
        isOwn = process == "self"
        let window = unsafe mmap(
            nil, Self.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard memory >= 0, maps >= 0, details >= 0, let window = unsafe window, unsafe window != MAP_FAILED
        else {
            throw Unreadable(description: "/proc/\(process)/mem cannot be opened: \(errno)")
        }
        unsafe buffer = window
    }

    deinit {
        close(memory)
        close(maps)
        close(details)
        unsafe munmap(buffer, Self.mapped)
    }

    /// How often the canary stands in readable memory, or in the part of it that the system calls `name`.
    public func count(_ canary: Canary, in name: String = "") -> Int {
        found(canary, in: regions(maps).filter { $0.name.hasSuffix(name) }).elsewhere
    }

    public func places(of canary: Canary) -> Places { found(canary, in: regions(details)) }

    private func found(_ canary: Canary, in regions: [Region]) -> Places {
        var places = Places()
        precondition((1...4096).contains(canary.masked.count))
        for (index, byte) in canary.masked.enumerated() {
            unsafe buffer.storeBytes(of: byte ^ Canary.mask, toByteOffset: Self.size + index, as: UInt8.self)
        }
        for region in regions {
            let found = count(canary.masked.count, in: region.range)
            if region.isLocked { places.locked += found } else { places.elsewhere += found }
        }
        unsafe memset(buffer, 0, Self.mapped)
        return places
    }

    private func count(_ length: Int, in range: Range<UInt>) -> Int {
        var (found, start) = (0, range.lowerBound)
        while start < range.upperBound {
            let wanted = min(Self.size, Int(range.upperBound - start))
            let got = unsafe pread(memory, buffer, wanted, Int(bitPattern: start))
            guard got > 0 else { break }
            var next = 0
            while let place = unsafe Self.search(buffer + next, got - next, buffer + Self.size, length) {
                found += 1
                next = unsafe place - buffer + 1
            }
            if got <= length || start + UInt(got) >= range.upperBound { break }
            // Pieces overlap by less than a whole canary.
            start += UInt(got - length + 1)
        }
        return found
    }

    /// `memmem`, which Glibc's module hides.
    private static let search: Search = {
        guard let symbol = unsafe dlsym(nil, "memmem") else { fatalError("there is no memmem") }
        return unsafe unsafeBitCast(symbol, to: Search.self)
    }()

    private typealias Search =
        @convention(c) (
            UnsafeRawPointer, Int, UnsafeRawPointer, Int
        ) -> UnsafeMutableRawPointer?

    /// A line for each region, `start-end rights offset device inode name`, and below it lines with words about it,
    /// of which `VmFlags:` is the last, in `details` alone.
    private func regions(_ file: Int32) -> [Region] {
        var regions: [Region] = []
        for line in text(of: file).split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if ends.count == 2 {
                let name = words.dropFirst(5).joined(separator: " ")
                let isReadable = words[1].hasPrefix("r") && name != "[vvar]" && name != "[vsyscall]"
                regions.append(Region(range: ends[0]..<(isReadable ? ends[1] : ends[0]), name: name))
            } else if words[0] == "VmFlags:", words.contains("lo") {
                regions[regions.count - 1].isLocked = true
            }
        }
        return regions.filter { UInt($0.range.count) < Self.largestRegion }.flatMap { region in
            withoutBuffer(region.range).map {
                Region(range: $0, name: region.name, isLocked: region.isLocked)
            }
        }
    }

    /// The buffer may have been joined to its neighbours.
    private func withoutBuffer(_ range: Range<UInt>) -> [Range<UInt>] {
        let own = UInt(bitPattern: unsafe buffer)
        let end = own + UInt(Self.mapped)
        guard isOwn, range.overlaps(own..<end) else { return [range] }
        return [range.lowerBound..<max(range.lowerBound, own), min(end, range.upperBound)..<range.upperBound]
    }

    private func text(of file: Int32) -> String {
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        lseek(file, 0, SEEK_SET)
        while case let count = unsafe read(file, &piece, piece.count), count > 0 { text += piece[..<count] }
        return String(decoding: text, as: UTF8.self)
    }
}
