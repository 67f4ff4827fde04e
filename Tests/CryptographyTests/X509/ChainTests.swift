// SPDX-License-Identifier: Apache-2.0

import ASN1
import Foundation
import TestSupport
import Testing

@testable import Cryptography

@Suite struct ChainTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var leaf: String
        var others: [String] = ["issuing"]
        var roots: [String] = ["root"]
        var purpose = ChainPurpose.server
        var year = 2025
        var lists: [String]?
        /// The reason and the place of the refusal; `nil` for a good chain.
        var refusal: (ChainRefusal.Reason, Int)?
        var testDescription: String { "\(leaf) \(others) \(roots) \(purpose) \(year) \(lists ?? [])" }
    }

    static let cases: [Case] = [
        // Good ones.
        Case(leaf: "server"), Case(leaf: "client", purpose: .client),
        Case(leaf: "code", purpose: .codeSigning),
        Case(leaf: "stamp", purpose: .timestamping), Case(leaf: "code", purpose: .any),
        Case(leaf: "server", roots: ["other-root", "root"]), Case(leaf: "not-critical"),
        Case(leaf: "server", others: ["below", "issuing", "limited"]),
        Case(leaf: "inside", others: ["limited"]), Case(leaf: "no-uses"),
        Case(leaf: "code-by-code", others: ["code-issuing"], purpose: .codeSigning),
        Case(leaf: "rsa-leaf", others: [], roots: ["rsa-root"]),
        Case(leaf: "ed-leaf", others: [], roots: ["ed-root"]),
        Case(leaf: "p384-leaf", others: [], roots: ["p384-root"]),
        Case(leaf: "server", others: ["issuing", "issuing-by-other"], roots: ["other-root"]),
        Case(leaf: "server", others: ["issuing", "issuing-by-other"], roots: ["root"]),
        Case(leaf: "server", others: ["issuing-expired", "issuing"]),
        Case(leaf: "server", lists: ["root", "issuing"]),
        // Time.
        Case(leaf: "expired", refusal: (.expired, 0)), Case(leaf: "future", refusal: (.notYetValid, 0)),
        Case(leaf: "server", others: ["issuing-expired"], refusal: (.expired, 1)),
        Case(leaf: "far", year: 2040, refusal: (.expired, 2)),
        Case(leaf: "server", year: 2023, refusal: (.notYetValid, 2)),
        // Roots and issuers.
        Case(leaf: "server", roots: ["other-root"], refusal: (.missingIssuer, 1)),
        Case(leaf: "server", others: ["issuing", "root"], roots: ["other-root"], refusal: (.unknownRoot, 2)),
        Case(leaf: "server", others: [], refusal: (.missingIssuer, 0)),
        Case(leaf: "server", others: [], roots: ["issuing"], refusal: (.missingIssuer, 1)),
        Case(leaf: "server", others: ["issuing"], roots: [], refusal: (.missingIssuer, 1)),
        Case(leaf: "alone", others: [], purpose: .any, refusal: (.unknownRoot, 0)),
        // Purposes.
        Case(leaf: "server", purpose: .client, refusal: (.wrongPurpose, 0)),
        Case(leaf: "client", purpose: .server, refusal: (.wrongPurpose, 0)),
        Case(leaf: "server", purpose: .codeSigning, refusal: (.wrongPurpose, 0)),
        Case(leaf: "no-uses", purpose: .codeSigning, refusal: (.wrongPurpose, 0)),
        Case(leaf: "code-without-signature", purpose: .codeSigning, refusal: (.wrongPurpose, 0)),
        Case(leaf: "code", purpose: .timestamping, refusal: (.wrongPurpose, 0)),
        Case(
            leaf: "code-by-servers", others: ["server-issuing"], purpose: .codeSigning,
            refusal: (.wrongPurpose, 1)),
        // Authorities.
        Case(leaf: "below-leaf", others: ["below", "issuing"], refusal: (.pathTooLong, 2)),
        Case(leaf: "by-no-sign", others: ["no-sign"], refusal: (.notAnAuthority, 1)),
        Case(leaf: "by-no-authority", others: ["no-authority"], refusal: (.notAnAuthority, 1)),
        Case(leaf: "outside", others: ["limited"], refusal: (.nameNotPermitted, 0)),
        Case(leaf: "critical", refusal: (.unknownCriticalExtension, 0)),
        Case(leaf: "loose-leaf", others: [], roots: ["loose-root"], refusal: (.breaksRules, 0)),
        Case(leaf: "version1", others: [], roots: ["rsa-root"]),
        // Signatures and keys.
        Case(leaf: "tampered", refusal: (.badSignature, 0)),
        Case(leaf: "md5", others: [], roots: ["rsa-root"], refusal: (.weakSignature, 0)),
        Case(leaf: "sha1", others: [], roots: ["rsa-root"], refusal: (.weakSignature, 0)),
        Case(leaf: "rsa-weak", others: [], roots: ["rsa-root"], refusal: (.weakKey, 0)),
        // Revocation.
        Case(leaf: "revoked", lists: ["root", "issuing"], refusal: (.revoked, 0)),
        Case(leaf: "held", lists: ["root", "issuing"], refusal: (.revoked, 0)),
        Case(leaf: "revoked", lists: nil),
        Case(leaf: "server", lists: ["issuing"], refusal: (.noRevocationList, 1)),
        Case(leaf: "server", lists: [], refusal: (.noRevocationList, 0)),
        Case(leaf: "server", lists: ["root", "issuing-old"], refusal: (.revocationListExpired, 0)),
        Case(leaf: "server", lists: ["root", "issuing-forged"], refusal: (.noRevocationList, 0)),
    ]

    @Test(arguments: cases)
    func judges(_ item: Case) throws {
        let chain = UnverifiedChain(
            try ChainMaker.certificate(item.leaf), intermediates: try item.others.map(ChainMaker.certificate))
        let weak = ["md5", "sha1", "version1"].contains(item.leaf)
        let policy = ChainPolicy(
            roots: try item.roots.map(ChainMaker.certificate), purpose: item.purpose,
            time: try #require(
                weak
                    ? ASN1Time(secondsSince1970: Int64(Date().timeIntervalSince1970) + 60)
                    : ASN1Time(year: item.year, month: 6, day: 1)),
            revocationLists: try item.lists?.map(ChainMaker.list))
        guard let (reason, depth) = item.refusal else {
            let valid = try chain.validated(by: policy)
            #expect(valid.leaf == chain.leaf)
            #expect(policy.roots.contains(valid.root))
            return
        }
        let refusal = #expect(throws: ChainRefusal.self) { try chain.validated(by: policy) }
        #expect(refusal?.reason == reason, "\(refusal?.message ?? "")")
        #expect(refusal?.depth == depth, "\(refusal?.message ?? "")")
        if depth == 0 { #expect(refusal?.subject == chain.leaf.subject.description) }
    }

    /// The same verdicts from the openssl command, for the purposes that it knows.
    @Test func agreesWithTheCommand() throws {
        let folder = try TemporaryFolder()
        for (index, item) in Self.cases.enumerated() where item.purpose != .codeSigning {
            guard !["md5", "sha1", "version1"].contains(item.leaf) else { continue }
            // The command does not look for a second path.
            if item.others == ["issuing", "issuing-by-other"], item.roots == ["other-root"] { continue }
            let time = try #require(ASN1Time(year: item.year, month: 6, day: 1)).secondsSince1970
            let purpose =
                switch item.purpose {
                case .server: "sslserver"
                case .client: "sslclient"
                case .timestamping: "timestampsign"
                default: "any"
                }
            let leaf = try folder.write("leaf\(index)", ChainMaker.certificate(item.leaf).pem)
            let roots = try folder.write(
                "roots\(index)", item.roots.map { try ChainMaker.certificate($0).pem }.joined())
            let others = try folder.write(
                "others\(index)", item.others.map { try ChainMaker.certificate($0).pem }.joined())
            var arguments = [
                "openssl", "verify", "-x509_strict", "-auth_level", "2", "-attime", "\(time)", "-purpose",
                purpose,
                "-no-CApath", "-no-CAstore", item.roots.isEmpty ? "-no-CAfile" : "-CAfile",
            ]
            if !item.roots.isEmpty { arguments.append(roots) }
            if !item.others.isEmpty { arguments += ["-untrusted", others] }
            if let lists = item.lists {
                let pem = try lists.map { PEMBlock.encode(try ChainMaker.list($0).der, label: "X509 CRL") }
                arguments.append("-crl_check_all")
                if !lists.isEmpty {
                    arguments += ["-CRLfile", try folder.write("lists\(index)", pem.joined())]
                }
            }
            let verdict = try Command.run(arguments + [leaf]).status == 0
            #expect(verdict == (item.refusal == nil), "\(item.testDescription)")
        }
    }

    @Test func givesTheWholeChain() throws {
        let chain = UnverifiedChain(
            try ChainMaker.certificate("server"),
            intermediates: try ["below", "issuing-by-other", "issuing", "limited"].map(ChainMaker.certificate)
        )
        let policy = ChainPolicy(
            roots: [try ChainMaker.certificate("root")], purpose: .server,
            time: try #require(ASN1Time(year: 2025, month: 1, day: 1)))
        let valid = try chain.validated(by: policy)
        #expect(try valid.certificates == ["server", "issuing", "root"].map(ChainMaker.certificate))
        #expect(valid.purpose == .server)
    }

    @Test func refusesTooManyCertificates() throws {
        let other = try ChainMaker.certificate("issuing")
        let chain = UnverifiedChain(
            try ChainMaker.certificate("server"), intermediates: Array(repeating: other, count: 17))
        let policy = ChainPolicy(
            roots: [try ChainMaker.certificate("root")], purpose: .server,
            time: try #require(ASN1Time(year: 2025, month: 1, day: 1)))
        let refusal = #expect(throws: ChainRefusal.self) { try chain.validated(by: policy) }
        #expect(refusal?.reason == .pathTooLong)
    }
}
