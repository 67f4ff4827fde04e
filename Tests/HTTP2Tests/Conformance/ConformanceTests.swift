// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestPeers
import TestSupport
import Testing

/// The cases of the public h2spec suite, written anew, and some more, said byte by byte to live listeners: 44 generic
/// ones, 95 of HTTP/2, 8 of HPACK and 63 of the house.
@Suite(.serialized) struct ConformanceTests {
    @Test(arguments: Case.all, WireTarget.Listener.allCases)
    func conforms(_ test: Case, _ listener: WireTarget.Listener) async throws {
        if listener == .http, !test.isSurelyHTTP2 { return }
        let fault = try await apart {
            try Player.play(
                test, port: WireTarget.shared.get().port(of: listener), checksBody: listener == .bare,
                isSplit: false)
        }
        #expect(fault == nil, "\(fault ?? "")")
    }

    @Test(arguments: Case.all) func conformsByteByByte(_ test: Case) async throws {
        let fault = try await apart {
            try Player.play(
                test, port: WireTarget.shared.get().port(of: .bare), checksBody: true, isSplit: true)
        }
        #expect(fault == nil, "\(fault ?? "")")
    }

    /// What the cases have left behind does not keep the listeners from ending.
    @Test func drainsBehindTheCases() async throws {
        let target = try await apart { try WireTarget() }
        for test in Case.all {
            _ = try await apart {
                try Player.play(test, port: target.port(of: .grpc), checksBody: false, isSplit: false)
            }
        }
        #expect(try await apart { target.drain() })
    }

    @Test func eachGroupIsWhole() {
        let counts = Case.Group.allCases.map { group in Case.all.count { $0.group == group } }
        #expect(counts == [44, 95, 8, 63])
        let names = Set(
            Case.all.map { "\($0.section) \($0.name)" + ($0.group == .generic ? " generic" : "") })
        #expect(names.count == Case.all.count)
    }
}

extension Case {
    /// It says the preface, so that no server can take it for HTTP/1.1.
    var isSurelyHTTP2: Bool {
        guard !greets, case .send(let bytes)? = steps.first else { return true }
        return bytes.starts(with: RawConnection.magic)
    }

    static let all = generic + frameErrors + streamErrors + hpack + house
}
