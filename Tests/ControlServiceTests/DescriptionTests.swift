// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import HTTP
import HTTP2
import Keyring
import TestSupport
import Testing

/// The OpenAPI document that the API shows of itself.
@Suite struct DescriptionTests {
    private let office: Office
    init() async throws { office = try await Office() }

    @Test func itIsThereForEverybodyAndCacheable() async throws {
        let shown = try await office.ask(.get, "/api-doc/openapi.json", as: nil)
        #expect(shown.status == 200)
        #expect(shown["openapi"] == "3.0.3")
        #expect(shown.fields["cache-control"] == "public, max-age=300")
        let tag = try #require(shown.fields["etag"])
        let again = try await office.ask(
            .get, "/api-doc/openapi.json", as: nil, fields: [("if-none-match", tag)])
        #expect(again.status == 304)
        #expect(office.forms.operations.count > 40)
    }

    /// What needs a token says so in the description and in deed; what does not answers something else.
    @Test func whoMayAskIsWhatItSays() async throws {
        for operation in office.forms.operations {
            let path = operation.path.split(separator: "/", omittingEmptySubsequences: false).map {
                $0.hasPrefix("{") ? "00000000-0000-4000-8000-000000000000" : $0
            }.joined(separator: "/")
            let answer = try await office.ask(Method(rawValue: operation.method), path, as: nil)
            let isOpen = (operation.form["security"] as? [[String: Any]])?.contains { $0.isEmpty } ?? false
            #expect((answer.status == 401) == !isOpen, "\(operation.method) \(path): \(answer.status)")
            // And a role that it does not name gets nothing out of it.
            guard let able = operation.form["x-roles"] as? [String] else { continue }
            for role in Role.allCases where !able.contains(role.rawValue) {
                let answer = try await office.ask(Method(rawValue: operation.method), path, as: role)
                #expect(answer.status >= 400, "\(role) \(operation.method) \(path)")
            }
        }
    }

    @Test func unknownParametersAreRefusedEverywhere() async throws {
        for operation in office.forms.operations where !operation.path.contains("{") {
            let answer = try await office.ask(
                Method(rawValue: operation.method), operation.path + "?pagesize=3",
                operation.form["requestBody"] == nil ? nil : [:])
            #expect(answer.status == 400, "\(operation.method) \(operation.path)")
        }
    }
}
