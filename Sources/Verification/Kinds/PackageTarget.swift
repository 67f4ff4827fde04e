// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Signatures

/// A program that reads packages, and what it does not take.
struct PackageTarget: Sendable {
    let name: String
    private let rules: [Rule]

    func objections(to package: PackageReading) -> [String] {
        rules.filter { $0.applies(package) }.map(\.objection)
    }

    // That of rpm 4.18 was tried out; the others are what their makers tell.
    static let all = [
        PackageTarget("EL 7 (rpm 4.11)", [.edDSA, .ecDSA, .newSignatures, .zstd]),
        PackageTarget("EL 8 (rpm 4.14)", [.edDSA, .ecDSA, .newSignatures]),
        PackageTarget("EL 9 (rpm 4.16)", [.ecDSA, .newSignatures, .weakSignature]),
        PackageTarget("Debian 12 (rpm 4.18)", [.ecDSA, .newSignatures, .partial]),
        PackageTarget("EL 10 (rpm 4.19, Sequoia)", [.newSignatures, .weakSignature, .dsa, .partial]),
        PackageTarget(
            "Fedora (rpm 6)",
            [.weakSignature, .dsa, .oldPacket, .oldSignatures, .weakHeader, .noPayloadDigest]),
    ]

    private init(_ name: String, _ rules: [Rule]) {
        self.name = name
        self.rules = rules
    }

    /// Something in a package, and what is said against it.
    private struct Rule: Sendable {
        let objection: String
        let applies: @Sendable (PackageReading) -> Bool

        private static func signature(
            _ objection: String, _ applies: @escaping @Sendable (PackageReading.Signature) -> Bool
        ) -> Rule {
            Rule(objection: objection) { $0.signatures.contains(where: applies) }
        }

        static let ecDSA = signature("a signature by ECDSA") { $0.packet.keyAlgorithmNumber == 19 }
        static let edDSA = signature("a signature by EdDSA") { $0.packet.keyAlgorithmNumber == 22 }
        static let dsa = signature("a signature by DSA") { $0.packet.keyAlgorithmNumber == 17 }
        static let weakSignature = signature("a signature with a weak digest, such as SHA-1") {
            $0.packet.digestAlgorithm?.isWeak ?? false
        }
        static let oldPacket = signature("a signature in the packet format 3") { $0.packet.version == 3 }
        static let oldSignatures = Rule(objection: "signed over header and payload alone, as before rpm 4") {
            !$0.signatures.isEmpty && $0.signatures.allSatisfy(\.coversPayload)
        }
        static let newSignatures = Rule(objection: "signed in the place that only rpm 6 looks at") {
            !$0.signatures.isEmpty && $0.signatures.allSatisfy { $0.tag == 278 }
        }
        static let partial = Rule(objection: "nothing that is signed covers the payload") {
            $0.payloadDigests.isEmpty && !$0.signatures.isEmpty
                && !$0.signatures.contains(where: \.coversPayload)
        }
        static let noPayloadDigest = Rule(objection: "the header names no digest of the payload") {
            $0.payloadDigests.isEmpty
        }
        static let weakHeader = Rule(objection: "no digest of the header but SHA-1 or MD5") { package in
            !package.checks.contains { $0.subject == "header" && $0.algorithm == "sha256" }
        }
        static let zstd = Rule(objection: "a payload compressed with zstd") { $0.compressor == "zstd" }
    }
}
