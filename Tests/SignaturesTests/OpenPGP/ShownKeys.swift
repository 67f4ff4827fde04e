// SPDX-License-Identifier: Apache-2.0

import Bytes
import Foundation
import TestSupport

@testable import Signatures

/// What a program says about the keys of a certificate: the words that ours and GnuPG's reading have in common.
struct ShownKey: Hashable, CustomStringConvertible {
    var fingerprint: String
    var created: Int64
    /// Seconds since 1970; `nil` without end.
    var expires: Int64?
    var isRevoked: Bool
    var maySign: Bool
    var mayCertify: Bool

    var description: String {
        "\(fingerprint) \(created)-\(expires.map(String.init) ?? "") \(isRevoked ? "r" : "")"
            + "\(maySign ? "s" : "")\(mayCertify ? "c" : "")"
    }
}

extension OpenPGPCertificate {
    var shown: [ShownKey] {
        ([primary] + subkeys).filter(\.isBound).map {
            ShownKey(
                fingerprint: Hex.encode($0.key.fingerprint, .upper), created: $0.key.created,
                expires: $0.expires, isRevoked: $0.revocation != nil || primary.revocation != nil,
                maySign: $0.maySign, mayCertify: $0.mayCertify)
        }
    }
}

extension GnuPG {
    /// What `gpg --show-keys` says of a file of certificates.
    func shown(_ bytes: [UInt8]) throws -> (keys: [ShownKey], userIDs: [String]) {
        let file = try folder.write("shown", bytes)
        let text = try run(["--with-colons", "--fixed-list-mode", "--show-keys", file]).text
        var (keys, users): ([ShownKey], [String]) = ([], [])
        for line in text.split(separator: "\n") {
            let cells = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            switch cells[0] {
            case "pub", "sub", "sec", "ssb":
                keys.append(
                    ShownKey(
                        fingerprint: "", created: Int64(cells[5]) ?? 0, expires: Int64(cells[6]),
                        isRevoked: cells[1] == "r", maySign: cells[11].contains("s"),
                        mayCertify: cells[11].contains("c")))
            case "fpr": keys[keys.count - 1].fingerprint = cells[9]
            case "uid": if cells[1] != "r" { users.append(cells[9].replacing("\\x3a", with: ":")) }
            default: break
            }
        }
        return (keys, users)
    }
}
