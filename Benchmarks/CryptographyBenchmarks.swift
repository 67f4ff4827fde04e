// SPDX-License-Identifier: Apache-2.0

internal import Cryptography

/// Each beside `openssl speed`, on the same core in turns.
let cryptographyBenchmarks: [Benchmark] = [
    signing("crypto.sign.rsa2048", .rsa2048, .rsaPKCS1(.sha256), speed: "rsa2048"),
    signing("crypto.sign.rsa4096", .rsa4096, .rsaPKCS1(.sha256), speed: "rsa4096"),
    signing("crypto.sign.p256", .p256, .ecdsa(.sha256), speed: "ecdsap256"),
    signing("crypto.sign.ed25519", .ed25519, .ed25519, speed: "ed25519"),
    Benchmark(name: "crypto.sha256.16k") {
        let block = [UInt8](repeating: 7, count: 16384)
        let (ours, theirs) = try rounds(
            ["-evp", "sha256", "-bytes", "16384"], { Double($0.last ?? "") }
        ) {
            blackHole(Digest(hashing: block.span, with: .sha256))
        }
        let scale = 1e-6
        return [
            Figure("crypto.sha256.16k", value: ours * 16384 * scale, unit: "MB/s", reference: theirs * scale)
        ]
    },
]

/// One thread beside `openssl speed`, and two threads that share the key beside one.
private func signing(
    _ name: String, _ key: KeyAlgorithm, _ algorithm: SignatureAlgorithm, speed: String
) -> Benchmark {
    Benchmark(name: name) {
        let handle = try SigningHandle(PrivateKey.generate(key), algorithm)
        let digest = Digest(hashing: Array(name.utf8).span, with: .sha256)
        let message = digest.bytes
        let sign: @Sendable () -> Void = {
            // A signature that fails would make the figure meaningless.
            if algorithm.digest == nil {
                guard (try? handle.sign(message: message.span)) != nil else { fatalError("no signature") }
            } else {
                guard (try? handle.sign(digest)) != nil else { fatalError("no signature") }
            }
        }
        // The last fields are signatures a second and verifications a second.
        let (ours, theirs) = try rounds([speed], { Double($0.dropLast().last ?? "") }, sign)
        var one: [Double] = []
        var two: [Double] = []
        for _ in 0..<9 {
            one.append(Cores.rate(.passing, on: [nil], seconds: 0.3, sign))
            two.append(Cores.rate(.passing, on: [nil, nil], seconds: 0.3, sign))
        }
        return [
            Figure(name, value: ours, unit: "1/s", reference: theirs),
            Figure(name + ".two-threads", value: median(two), unit: "1/s", reference: median(one)),
        ]
    }
}

/// Medians of our rate and of the figure in what `openssl speed` prints, in turns on one core.
private func rounds(
    _ speed: [String], _ field: ([Substring]) -> Double?, _ work: @escaping @Sendable () -> Void
) throws -> (Double, Double) {
    let core = Cores.last
    var ours: [Double] = []
    var theirs: [Double] = []
    for _ in 0..<7 {
        ours.append(Cores.rate(.user, on: [core], seconds: 0.7, work))
        let arguments = ["taskset", "-c", "\(core)", "openssl", "speed", "-seconds", "1", "-mr"] + speed
        let lines = try Cores.output(arguments).split(separator: "\n")
        let line = lines.last { $0.hasPrefix("+F") } ?? ""
        if let rate = field(line.split(separator: ":")) { theirs.append(rate) }
    }
    return (median(ours), median(theirs))
}

/// Keeps a result that nobody reads from being optimised away.
@inline(never)
func blackHole<Value>(_ value: Value) {}
