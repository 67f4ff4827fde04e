// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Signatures

extension Taker<[CMSOutline.Part]> {
    /// Of a module the last signature. That of Debian 12 is as its configuration has it, the others are as their sources
    /// tell.
    static let kernels = [
        Taker("Linux before 5.13", [.attributes, .ecDSA]),
        Taker("Debian 12 (Linux 6.1)", [.attributes, .ecDSA]),
        Taker("Linux from 5.13 on", [.attributes]),
    ]

    /// Of any file. Tried out.
    static let readers = [Taker("Debian 12 (OpenSSL 3.0)", [.noAttributes, .otherAlgorithm])]
}

extension Taker<[CMSOutline.Part]>.Rule {
    /// "has authattrs", the kernel says.
    fileprivate static let attributes = Self("signed attributes, which no kernel takes of a module") {
        $0.contains(where: \.hasAttributes)
    }
    fileprivate static let ecDSA = Self("a signature by ECDSA") {
        $0.contains { $0.algorithm == "ECDSA" }
    }
    fileprivate static let noAttributes = Self("no signed attributes, so that it may be about a module") {
        !$0.allSatisfy(\.hasAttributes)
    }
    fileprivate static let otherAlgorithm = Self("a signature that is neither by RSA nor by ECDSA") {
        !$0.allSatisfy { ["RSA", "ECDSA"].contains($0.algorithm) }
    }
}

/// An image, and what its signatures are made of as far as they can be read.
struct SeenImage: Sendable {
    let reading: ImageReading
    let hasGenerations: Bool
    let signatures: [CMSOutline?]
}

extension Taker<SeenImage> {
    /// osslsigncode was tried out; firmware and shim are as their makers tell.
    static let all = [
        Taker("UEFI firmware", [.notUniversal]),
        Taker("shim from 15.3 on, as what it starts first", [.noGenerations]),
        Taker("osslsigncode before 2.10", [.several, .gaps]),
    ]
}

extension Taker<SeenImage>.Rule {
    fileprivate static let notUniversal = Self(
        "no signature by RSA-2048 with SHA-256, and some firmware knows no other"
    ) { image in
        let parts = image.signatures.compactMap { $0?.parts.first }
        return !image.signatures.isEmpty
            && !parts.contains { $0.algorithm == "RSA" && $0.signatureCount == 256 && $0.digest == "sha256" }
    }
    fileprivate static let noGenerations = Self("no .sbat section") { !$0.hasGenerations }
    fileprivate static let several = Self("more than one signature") { $0.signatures.count > 1 }
    fileprivate static let gaps = Self("gaps between its sections") { $0.reading.hasGaps }
}
