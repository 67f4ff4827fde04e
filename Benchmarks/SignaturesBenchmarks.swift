// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Foundation
internal import Signatures

/// A finished signature over a header of 4 KiB, from hashing to its bytes, beside the bare signature and its
/// verification, in turns on one core.
let signaturesBenchmarks: [Benchmark] =
    [KeyAlgorithm.rsa2048, .rsa4096, .p256, .ed25519].map { key in
        Benchmark(name: "signatures.openpgp.\(key.rawValue)") {
            let secret = try PrivateKey.generate(key)
            let created = Int64(Date().timeIntervalSince1970)
            let owner = OpenPGPCertificateDraft(
                userID: "Bench", key: secret.publicKey, created: created, digest: .sha256)
            let handle = try SigningHandle(secret, algorithm(key))
            let signer = try owner.signed(by: handle).signer(for: secret.publicKey, at: created)
            let content = [UInt8](repeating: 7, count: 4096)
            return try figures("signatures.openpgp.\(key.rawValue)", handle) {
                try OpenPGPSignatureDraft(
                    content: content.span, digest: .sha256, signer: signer, created: created
                ).signed(by: handle)
            }
        }
    }

private func algorithm(_ key: KeyAlgorithm) -> SignatureAlgorithm {
    switch key.family {
    case .rsa: .rsaPKCS1(.sha256)
    case .ecdsa: .ecdsa(.sha256)
    case .ed25519: .ed25519
    }
}

private func figures(
    _ name: String, _ handle: SigningHandle, _ whole: @escaping @Sendable () throws -> [UInt8]
) throws -> [Figure] {
    let digest = Digest(hashing: Array(name.utf8).span, with: .sha256)
    let message = digest.bytes
    let bare: @Sendable () -> Void = {
        let signature =
            handle.algorithm.digest == nil
            ? try? handle.signAndVerify(message: message.span) : try? handle.signAndVerify(digest)
        guard signature != nil else { fatalError("no signature") }
    }
    let ours: @Sendable () -> Void = {
        guard (try? whole()) != nil else { fatalError("no signature") }
    }
    var (rates, limits): ([Double], [Double]) = ([], [])
    for _ in 0..<9 {
        rates.append(Cores.rate(.user, on: [Cores.last], seconds: 0.4, ours))
        limits.append(Cores.rate(.user, on: [Cores.last], seconds: 0.4, bare))
    }
    return [Figure(name, value: median(rates), unit: "1/s", reference: median(limits))]
}
