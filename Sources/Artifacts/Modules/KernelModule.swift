// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// What a kernel module is called, as its own `.modinfo` section says.
public struct ModuleFacts: Hashable, Sendable {
    /// None in modules of old kernels.
    public var name: String?
    /// The kernel that the module is for.
    public var kernel: String?
    /// The ELF number of the processor.
    public var machine: UInt16

    /// Judges the content of a module without a signature.
    init(_ content: Span<UInt8>) throws(ArtifactError) {
        let object = try ELFObject(content)
        machine = object.machine
        guard ModuleTrailer.place(in: content) == nil else { throw ModuleEnds.signed }
        guard let section = object.sections.first(where: { $0.name == ".modinfo" }) else { return }
        let words = content.extracting(section.range)
        name = Self.value(of: "name", in: words)
        kernel = Self.value(of: "vermagic", in: words)
    }

    /// The section holds `key=value` texts, each with a zero behind.
    private static func value(of key: String, in section: Span<UInt8>) -> String? {
        let wanted = Array((key + "=").utf8)
        var start = 0
        while start < section.count {
            var end = start
            while end < section.count, section[end] != 0 { end += 1 }
            let text = section.extracting(start..<end)
            if text.count > wanted.count, text.count < 1024,
                wanted.indices.allSatisfy({ text[$0] == wanted[$0] })
            {
                return String(validatingUTF8: text.extracting(droppingFirst: wanted.count))
            }
            start = end + 1
        }
        return nil
    }
}

/// The start and the end of a module, which is enough to judge one that is hashed part by part and not kept: a
/// relocatable ELF file without a signature.
public struct ModuleEnds: Sendable {
    private var head: [UInt8] = []
    private var tail: [UInt8] = []

    public init() {}

    /// How many bytes it keeps.
    public var held: Int { head.count + tail.count }

    public mutating func take(_ part: [UInt8]) {
        head += part.prefix(ELFObject.headCount - head.count)
        tail = Array((tail + part.suffix(ModuleTrailer.magic.count)).suffix(ModuleTrailer.magic.count))
    }

    public func check() throws(ArtifactError) {
        guard ELFObject.begins(head.span) else { throw Self.noModule }
        guard tail != ModuleTrailer.magic else { throw Self.signed }
    }

    static let noModule = ArtifactError(
        .artifactMalformed, "not a kernel module: it is no relocatable ELF file")
    static let signed = ArtifactError(
        .artifactMalformed, "kernel module: it still has a signature at its end; strip that first")
}

/// What stands behind a signed module.
///
/// ```
/// module  = content signature trailer %s"~Module signature appended~" %x0A
/// trailer = %x00 %x00 %x02 5%x00 length     ; the form is PKCS#7; 4 bytes of length, big endian
/// ```
enum ModuleTrailer {
    static let magic = Array("~Module signature appended~\n".utf8)
    static let count = 12 + magic.count

    /// Where the content ends and the signature stands; nil without one. A trailer that no kernel takes is an error
    /// elsewhere: here it only matters that the end looks like one.
    static func place(in file: Span<UInt8>) -> Int? {
        guard file.count >= magic.count else { return nil }
        let start = file.count - magic.count
        for index in magic.indices where file[start + index] != magic[index] { return nil }
        return start
    }

    /// The length of the signature that the last 40 bytes of a file announce; nil without a trailer.
    static func signatureCount(_ end: [UInt8], before size: Int) throws(ArtifactError) -> Int? {
        guard end.count == count, Array(end[12...]) == magic else { return nil }
        let length = end[8..<12].reduce(0) { $0 << 8 | Int($1) }
        guard Array(end[..<8]) == [0, 0, 2, 0, 0, 0, 0, 0], length > 0, length < size else {
            throw ArtifactError(.artifactMalformed, "kernel module: the trailer of its signature is wrong")
        }
        return length
    }

    static func append(_ signature: some Collection<UInt8>) -> [UInt8] {
        append(Array(signature))
    }

    static func append(_ signature: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(reserving: signature.count + count)
        writer.write(signature)
        writer.write([0, 0, 2, 0, 0, 0, 0, 0])
        writer.write(UInt32(signature.count))
        writer.write(magic)
        return writer.bytes
    }
}
