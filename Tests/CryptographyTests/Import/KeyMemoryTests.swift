// SPDX-License-Identifier: Apache-2.0

import Bytes
import Foundation
import TestSupport
import Testing

@testable import Cryptography

/// What of a private key stands in the memory of a process that imports, uses, seals and releases it.
@Suite(.needs(.noSanitizer)) struct KeyMemoryTests {
    @Test(arguments: [
        (KeyAlgorithm.rsa2048, "pkcs8.der"), (.rsa2048, "pkcs8.pem"), (.rsa3072, "traditional.pem"),
        (.rsa2048, "encrypted-aes256-sha512.pem"), (.rsa2048, "encrypted-scrypt.der"),
        (.rsa2048, "legacy-aes256.pem"), (.rsa2048, "pkcs12-openssl"), (.rsa2048, "pkcs12-open-key"),
        (.rsa4096, "pkcs8.pem"), (.p256, "pkcs8.pem"), (.p256, "legacy-des3.pem"),
        (.p256, "pkcs12-python-3des"), (.p384, "traditional.der"), (.p384, "encrypted-python.pem"),
        (.ed25519, "pkcs8.pem"), (.ed25519, "pkcs12-python"), (.ed25519, "encrypted-pbes1-3des.der"),
    ])
    func nothingIsLeftOfAReleasedKey(_ algorithm: KeyAlgorithm, _ name: String) throws {
        let made = try KeyMaker.key(algorithm)
        let file = try #require(made.files[name])
        let folder = try TemporaryFolder()
        let path = try folder.write("key", file.data)
        let phrase = try file.passphrase.map { try folder.write("passphrase", $0) } ?? "-"
        for hardened in name == "pkcs8.pem" ? ["plain", "hardened"] : ["plain"] {
            let pieces = try Self.pieces(of: made)
            let output = try Command.run(
                [Products.path("secrets-probe"), "keys", path, phrase, hardened] + pieces)
            #expect(output.status == 0, "\(hardened): \(output.text) \(output.errorText)")
            let lines = output.text.split(separator: "\n").map { $0.split(separator: " ") }
            #expect(lines.count == 9, "\(hardened): \(output.text)")
            for line in lines {
                let counts = line.dropFirst().compactMap { Int($0) }
                #expect(counts.count == pieces.count)
                if line[0] == "before" || line[0] == "released" {
                    #expect(counts.allSatisfy { $0 == 0 }, "\(hardened) \(name): \(output.text)")
                } else {
                    // The scan sees the key while it lives.
                    #expect(counts.contains { $0 > 0 }, "\(hardened) \(name): \(output.text)")
                }
            }
        }
    }

    /// Of each secret number 24 bytes as DER has them, and the same in the order of the machine, masked as the probe
    /// takes them.
    private static func pieces(of key: KeyMaker.Key) throws -> [String] {
        var numbers = try ["d", "p", "q", "scalar", "seed"].compactMap {
            try key.numbers[$0].map { try Hex.decode($0) }
        }
        if let d = key.numbers["d"], let p = key.numbers["p"], let q = key.numbers["q"] {
            let script = """
                import sys
                d, p, q = (int(v, 16) for v in sys.argv[1:])
                print(*("%0*x" % (p.bit_length() // 4, v) for v in (d % (p - 1), d % (q - 1), pow(q, -1, p))))
                """
            let printed = try Command.python(script, arguments: [d, p, q]).text
            numbers += try printed.split { $0 == " " || $0 == "\n" }.map { try Hex.decode(String($0)) }
        }
        return numbers.flatMap { number in
            let piece = Array(number.dropFirst(4).prefix(24))
            return [piece, piece.reversed()].map { Hex.encode($0.map { $0 ^ 0xa5 }) }
        }
    }
}
