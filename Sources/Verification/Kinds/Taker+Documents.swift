// SPDX-License-Identifier: Apache-2.0

internal import Signatures

extension Taker<[OpenPGPSignature]> {
    /// Debian 12's programs were tried out.
    static let documents = [
        Taker("Debian 12 (gpgv 2.2)", [.newAlgorithm]),
        Taker("Debian 12 (sqv 1.1)", [.newAlgorithm, .weak]),
    ]

    /// Besides those, what reads the indexes of archives.
    static let texts = documents + [Taker("Debian 12 (apt 2.6)", [.newAlgorithm, .weak])]
}

extension Taker<[OpenPGPSignature]>.Rule {
    /// Numbers of RFC 9580.
    fileprivate static let newAlgorithm = Self("a signature by an algorithm that only newer programs know") {
        $0.contains { $0.keyAlgorithmNumber > 22 }
    }
    /// MD5, SHA-1 and RIPE-MD/160.
    fileprivate static let weak = Self("a signature with a weak digest, such as SHA-1") {
        $0.contains { (1...3).contains($0.digestNumber) }
    }
}
