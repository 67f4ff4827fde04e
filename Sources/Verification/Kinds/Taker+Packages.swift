// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Signatures

extension Taker<PackageReading> {
    // What is said of rpm 4.18 was tried out; the others are as their makers tell.
    static let all = [
        Taker("EL 7 (rpm 4.11)", [.edDSA, .ecDSA, .newSignatures, .zstd]),
        Taker("EL 8 (rpm 4.14)", [.edDSA, .ecDSA, .newSignatures]),
        Taker("EL 9 (rpm 4.16)", [.ecDSA, .newSignatures, .weakSignature]),
        Taker("Debian 12 (rpm 4.18)", [.ecDSA, .newSignatures, .partial]),
        Taker("EL 10 (rpm 4.19, Sequoia)", [.newSignatures, .weakSignature, .dsa, .partial]),
        Taker(
            "Fedora (rpm 6)",
            [.weakSignature, .dsa, .oldPacket, .oldSignatures, .weakHeader, .noPayloadDigest]),
    ]
}

extension Taker<PackageReading>.Rule {
    private static func signature(
        _ objection: String, _ applies: @escaping @Sendable (PackageReading.Signature) -> Bool
    ) -> Self {
        Self(objection) { $0.signatures.contains(where: applies) }
    }

    fileprivate static let ecDSA = signature("a signature by ECDSA") { $0.packet.keyAlgorithmNumber == 19 }
    fileprivate static let edDSA = signature("a signature by EdDSA") { $0.packet.keyAlgorithmNumber == 22 }
    fileprivate static let dsa = signature("a signature by DSA") { $0.packet.keyAlgorithmNumber == 17 }
    fileprivate static let weakSignature = signature("a signature with a weak digest, such as SHA-1") {
        $0.packet.digestAlgorithm?.isWeak ?? false
    }
    fileprivate static let oldPacket = signature("a signature in the packet format 3") {
        $0.packet.version == 3
    }
    fileprivate static let oldSignatures = Self("signed over header and payload alone, as before rpm 4") {
        !$0.signatures.isEmpty && $0.signatures.allSatisfy(\.coversPayload)
    }
    fileprivate static let newSignatures = Self("signed in the place that only rpm 6 looks at") {
        !$0.signatures.isEmpty && $0.signatures.allSatisfy { $0.tag == 278 }
    }
    fileprivate static let partial = Self("nothing that is signed covers the payload") {
        $0.payloadDigests.isEmpty && !$0.signatures.isEmpty
            && !$0.signatures.contains(where: \.coversPayload)
    }
    fileprivate static let noPayloadDigest = Self("the header names no digest of the payload") {
        $0.payloadDigests.isEmpty
    }
    fileprivate static let weakHeader = Self("no digest of the header but SHA-1 or MD5") { package in
        !package.checks.contains { $0.subject == "header" && $0.algorithm == "sha256" }
    }
    fileprivate static let zstd = Self("a payload compressed with zstd") { $0.compressor == "zstd" }
}
