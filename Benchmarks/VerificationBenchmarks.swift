// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Foundation
internal import SampleFiles
internal import Signatures
internal import TestSupport

let verificationBenchmarks: [Benchmark] = [
    // `signet verify` of 400 packages beside `rpmkeys -K` of the same, from the command line to its end; the packages are
    // signed by RSA-4096 and have the sizes of a distribution's.
    Benchmark(name: "verification.rpm.400") {
        let folder = "/dev/shm/signet-bench-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let signer = try PackageSigner(.rsa4096)
        var paths: [String] = []
        for number in 0..<400 {
            let sample = SampleRPM.ofDistribution(number)
            let path = "\(folder)/\(number).rpm"
            try signer.sign(sample).write(to: path)
            paths.append(path)
        }
        let key = folder + "/key.asc"
        try signer.certificate.armored.write(toFile: key, atomically: false, encoding: .utf8)
        let rpmkeys = ["rpmkeys", "--dbpath", folder + "/db"]
        try Command.check(rpmkeys + ["--import", key])
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
        let ours = [program + "/signet", "verify", "--key", key] + paths
        let theirs = rpmkeys + ["--define", "_pkgverify_level all", "-K"] + paths
        var rates: (ours: [Double], theirs: [Double]) = ([], [])
        for round in 0...7 {
            let rate = (
                try rate(paths.count) { try Command.check(ours) },
                try rate(paths.count) { try Command.check(theirs) }
            )
            // The first round warms up.
            guard round > 0 else { continue }
            rates.ours.append(rate.0)
            rates.theirs.append(rate.1)
        }
        return [
            Figure(
                "verification.rpm.400", value: median(rates.ours), unit: "packages/s",
                reference: median(rates.theirs))
        ]
    }
]

/// Signs packages while they are made.
private struct PackageSigner {
    let certificate: OpenPGPCertificate
    private let handle: SigningHandle
    private let signer: OpenPGPSigner
    private let now: Int64

    init(_ algorithm: KeyAlgorithm) throws {
        let key = try PrivateKey.generate(algorithm)
        handle = try SigningHandle(key, .rsaPKCS1(.sha256))
        now = WallTime.now().seconds
        certificate = try OpenPGPCertificateDraft(userID: "Bench", key: key.publicKey, created: now - 10)
            .signed(by: SigningHandle(key, .rsaPKCS1(.sha512)))
        signer = try certificate.signer(for: key.publicKey, at: now)
    }

    func sign(_ sample: SampleRPM) throws -> SampleRPM {
        let header = sample.mainHeader
        let packet = try OpenPGPSignatureDraft(
            content: header.span, digest: .sha256, signer: signer, created: now
        ).signed(by: handle)
        var signed = sample
        signed.changeSignature = { header in
            header.binary(268, packet)
            header.values.sort { $0.tag < $1.tag }
        }
        return signed
    }
}
