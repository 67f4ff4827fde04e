// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Glibc

/// An RPM package as rpmbuild 4.18 lays it out, with a payload of noise that nobody can unpack. `rpm -K` accepts it.
public struct SampleRPM: Sendable {
    public var name = "sample"
    public var epoch: UInt32?
    public var version = "1.0"
    public var release = "1"
    public var architecture = "noarch"
    public var vendor: String? = "Signet"
    public var isSource = false
    /// How many files the header lists.
    public var files = 3
    public var payload = Payload.noise(count: 2000, seed: 1)
    /// The bytes that the signature header keeps free; nil for none.
    public var reservedSpace: Int? = 4128
    public var hasPayloadDigest = true
    /// What is changed in the finished headers.
    public var changeMain: @Sendable (inout HeaderBuilder) -> Void = { _ in }
    public var changeSignature: @Sendable (inout HeaderBuilder) -> Void = { _ in }

    public init() {}

    public enum Payload: Sendable {
        case bytes([UInt8])
        case noise(count: Int, seed: UInt64)
        /// A hole in the file.
        case zeros(count: Int)

        public var count: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .noise(let count, _), .zeros(let count): count
            }
        }

        /// Piece by piece, none larger than a MiB.
        func forEach(_ body: ([UInt8]) throws -> Void) rethrows {
            switch self {
            case .bytes(let bytes): try body(bytes)
            case .noise(let count, let seed):
                var block: [UInt8] = []
                var state = seed
                for _ in 0..<min(count, 1 << 16) / 8 + 1 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let mixed = state ^ state >> 29
                    for shift in 0..<8 { block.append(UInt8(truncatingIfNeeded: mixed >> UInt64(8 * shift))) }
                }
                try Self.repeatBlock(Array(block.prefix(1 << 16)), to: count, body)
            case .zeros(let count):
                try Self.repeatBlock([UInt8](repeating: 0, count: min(count, 1 << 20)), to: count, body)
            }
        }

        private static func repeatBlock(
            _ block: [UInt8], to count: Int, _ body: ([UInt8]) throws -> Void
        ) rethrows {
            var rest = count
            while rest > 0 {
                try body(rest >= block.count ? block : Array(block.prefix(rest)))
                rest -= min(rest, block.count)
            }
        }
    }

    // MARK: The package

    /// As rpmbuild names it.
    public var fileName: String { "\(name)-\(version)-\(release).\(isSource ? "src" : architecture).rpm" }

    public var lead: [UInt8] {
        var lead = [UInt8](repeating: 0, count: 96)
        lead.replaceSubrange(0..<6, with: [0xed, 0xab, 0xee, 0xdb, 3, 0])
        lead[7] = isSource ? 1 : 0
        lead[9] = 1
        for (index, byte) in "\(name)-\(version)-\(release)".utf8.prefix(65).enumerated() {
            lead[10 + index] = byte
        }
        lead[77] = 1
        lead[79] = 5
        return lead
    }

    public var mainHeader: [UInt8] {
        var header = HeaderBuilder(region: 63)
        header.texts(100, ["C"])
        header.text(1000, name)
        header.text(1001, version)
        header.text(1002, release)
        if let epoch { header.numbers(1003, [UInt64(epoch)]) }
        header.texts(1004, ["A sample"], type: 9)
        header.texts(1005, ["Made to be signed."], type: 9)
        header.numbers(1006, [1_700_000_000])
        header.text(1007, "localhost")
        header.numbers(1009, [UInt64(files * 100)])
        if let vendor { header.text(1011, vendor) }
        header.text(1014, "Apache-2.0")
        header.texts(1016, ["Unspecified"], type: 9)
        header.text(1021, "linux")
        header.text(1022, architecture)
        if files > 0 { addFiles(to: &header) }
        if !isSource { header.text(1044, "\(name)-\(version)-\(release).src.rpm") }
        if files > 0 {
            header.numbers(1045, list(0xffff_ffff))
        }
        header.texts(1047, [name])
        header.text(1064, "4.18.0")
        if files > 0 {
            header.numbers(1095, list(1))
            header.numbers(1096, (1...files).map { UInt64($0) })
            header.texts(1097, words(""))
        }
        header.numbers(1112, [8])
        header.texts(1113, ["\(epoch.map { "\($0):" } ?? "")\(version)-\(release)"])
        if files > 0 {
            header.numbers(1116, list(0))
            header.texts(1117, (0..<files).map { "file-\($0)" })
            header.texts(1118, ["/usr/share/\(name)/"])
        }
        header.text(1124, "cpio")
        header.text(1125, "gzip")
        header.text(1126, "9")
        if files > 0 { header.numbers(5011, [8]) }
        header.text(5062, "utf-8")
        if hasPayloadDigest {
            header.texts(5092, [payloadDigest(.sha256).description])
            header.numbers(5093, [8])
        }
        changeMain(&header)
        return header.bytes
    }

    private func list(_ value: UInt64) -> [UInt64] { [UInt64](repeating: value, count: files) }
    private func words(_ word: String) -> [String] { [String](repeating: word, count: files) }

    private func addFiles(to header: inout HeaderBuilder) {
        header.numbers(1028, list(100))
        header.numbers(1030, list(0o100644), width: 2)
        header.numbers(1033, list(0), width: 2)
        header.numbers(1034, list(1_700_000_000))
        header.texts(
            1035, (0..<files).map { Digest(hashing: Array("\($0)".utf8).span, with: .sha256).description })
        header.texts(1036, words(""))
        header.numbers(1037, list(0))
        header.texts(1039, words("root"))
        header.texts(1040, words("root"))
    }

    public func payloadDigest(_ algorithm: DigestAlgorithm, after header: [UInt8] = []) -> Digest {
        var running = RunningDigest(algorithm)
        running.update(header.span)
        payload.forEach { running.update($0.span) }
        return running.finish()
    }

    public func signatureHeader(for main: [UInt8]) -> [UInt8] {
        var header = HeaderBuilder(region: 62)
        header.text(269, Digest(hashing: main.span, with: .weakSHA1).description)
        let size = UInt64(main.count + payload.count)
        if size > UInt64(UInt32.max) { header.numbers(270, [size], width: 8) }
        header.text(273, Digest(hashing: main.span, with: .sha256).description)
        if size <= UInt64(UInt32.max) { header.numbers(1000, [size]) }
        header.binary(1004, payloadDigest(.weakMD5, after: main).bytes)
        if size <= UInt64(UInt32.max) { header.numbers(1007, [UInt64(payload.count)]) }
        if let reservedSpace { header.binary(1008, [UInt8](repeating: 0, count: reservedSpace)) }
        changeSignature(&header)
        return header.bytes
    }

    /// All that stands before the payload.
    public var start: [UInt8] {
        let main = mainHeader
        let signature = signatureHeader(for: main)
        return lead + signature + [UInt8](repeating: 0, count: -signature.count & 7) + main
    }

    /// All that a signature leaves as it is: main header and payload.
    public var tail: [UInt8] {
        var bytes = mainHeader
        payload.forEach { bytes += $0 }
        return bytes
    }

    /// The whole file; for small ones.
    public var bytes: [UInt8] {
        var bytes = start
        payload.forEach { bytes += $0 }
        return bytes
    }

    /// Writes the file, whatever its size, in little memory; zeros become a hole.
    public func write(to path: String) throws {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw SampleError("\(path): error \(errno)") }
        defer { close(file) }
        let start = start
        try Self.write(start, to: file)
        if case .zeros(let count) = payload {
            guard ftruncate(file, start.count + count) == 0 else {
                throw SampleError("\(path): error \(errno)")
            }
        } else {
            try payload.forEach { try Self.write($0, to: file) }
        }
    }

    private static func write(_ bytes: [UInt8], to file: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw SampleError("write: error \(errno)") }
            rest = rest.dropFirst(count)
        }
    }
}

/// A sample could not be written.
public struct SampleError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
