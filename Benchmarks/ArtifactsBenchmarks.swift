// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Diagnostics
internal import Foundation
internal import SampleFiles
internal import Signatures
internal import TestSupport

let artifactsBenchmarks: [Benchmark] = [
    // Reading, checking and signing packages of 60 KB in place, one after the other and without the signature itself; what
    // counts is the time beyond the hashing that the digests need, and how much is written.
    Benchmark(name: "artifacts.rpm") {
        try [("memory", "/dev/shm"), ("disk", NSTemporaryDirectory())].flatMap { place, folder in
            try packages(place, in: folder)
        }
    },
    // A large plain file beside `openssl dgst`.
    Benchmark(name: "artifacts.hash") {
        try hashing("artifacts.hash", Data(repeating: 7, count: 256 << 20), as: .generic)
    },
    // An image as large as a kernel with its initial file system: Authenticode's digest, and the digest of a file for CMS.
    Benchmark(name: "artifacts.image") {
        var image = SampleImage()
        image.sections[0].bytes = [UInt8](repeating: 7, count: 100 << 20)
        let file = Data(image.bytes)
        return try hashing("artifacts.image", file, as: .efi) + hashing("artifacts.content", file, as: .cms)
    },
]

/// The reference is what `openssl dgst` does with the same file; the promise is 0.95 of it.
private func hashing(_ name: String, _ file: Data, as kind: SigningKind) throws -> [Figure] {
    let path = "/dev/shm/signet-bench-\(getpid())"
    defer { unsafe unlink(path) }
    try file.write(to: URL(fileURLWithPath: path))
    var ours: [Double] = []
    var theirs: [Double] = []
    for _ in 0..<5 {
        ours.append(try rate(file.count) { try readOnce(path, as: kind) })
        theirs.append(try rate(file.count) { try Command.check(["openssl", "dgst", "-sha256", path]) })
    }
    return [Figure(name, value: median(ours) * 1e-6, unit: "MB/s", reference: median(theirs) * 1e-6)]
}

/// The reference is the rate that is promised for one thread in memory.
private func packages(_ place: String, in folder: String) throws -> [Figure] {
    let number = 500
    let root = "\(folder)/signet-bench-\(getpid())"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    var sample = SampleRPM()
    sample.files = 10
    sample.payload = .noise(count: 52_000, seed: 1)
    let paths = (0..<number).map { "\(root)/\($0).rpm" }
    let packet = try signature(of: sample.mainHeader)
    let payload = Array(sample.bytes.suffix(52_000))
    let header = sample.mainHeader
    let whole = header + payload
    var beyond: [Double] = []
    var written = 0
    for _ in 0..<5 {
        for path in paths { try sample.write(to: path) }
        let hashing = rate(number) {
            for _ in 0..<number {
                blackHole(Digest(hashing: payload.span, with: .sha256))
                blackHole(Digest(hashing: header.span, with: .sha256))
                blackHole(Digest(hashing: header.span, with: .weakSHA1))
                blackHole(Digest(hashing: whole.span, with: .weakMD5))
            }
        }
        let writer = PatchWriter(inPlace: true)
        let before = bytesWritten()
        let signing = try rate(number) { for path in paths { try signOnce(path, packet, writer) } }
        written = bytesWritten() - before
        beyond.append(1 / (1 / signing - 1 / hashing))
    }
    return [
        Figure("artifacts.rpm.\(place)", value: median(beyond), unit: "1/s", reference: 5000),
        Figure(
            "artifacts.rpm.\(place).written", value: Double(written) / Double(number), unit: "B",
            reference: 8192),
    ]
}

private func signOnce(_ path: String, _ packet: [UInt8], _ writer: PatchWriter) throws {
    try writer.recover(folderOf: path)
    try writer.apply(Artifact(reading: path).patch(embedding: packet))
}

/// What this process has handed to the system to be written, the few bytes of figures among it.
private func bytesWritten() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("wchar:") } ?? ""
    return Int(line.filter(\.isNumber)) ?? 0
}

private func readOnce(_ path: String, as kind: SigningKind) throws {
    _ = try Artifact(reading: path, as: kind)
}

private func signature(of content: [UInt8]) throws -> [UInt8] {
    let key = try PrivateKey.generate(.ed25519)
    let handle = try SigningHandle(key, .ed25519)
    let now = WallTime.now().seconds
    let certificate = try OpenPGPCertificateDraft(userID: "Bench", key: key.publicKey, created: now - 10)
        .signed(by: handle)
    let signer = try certificate.signer(for: key.publicKey, at: now)
    return try OpenPGPSignatureDraft(content: content.span, digest: .sha256, signer: signer, created: now)
        .signed(by: handle)
}
