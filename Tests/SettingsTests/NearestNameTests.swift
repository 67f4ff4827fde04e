// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Settings

@Suite struct NearestNameTests {
    private static let known = ["database", "data-server", "port", "host", "timeout", "ca_file", "x"]

    @Test(arguments: [
        ("databse", "database"), ("Database", "database"), ("data_server", "data-server"), ("prot", "port"),
        ("pord", "port"), ("por", "port"), ("hots", "host"), ("ca-file", "ca_file"), ("tiemout", "timeout"),
        ("timeouts", "timeout"), ("y", "x"), ("PORT", "port"),
    ])
    func near(_ name: String, _ expected: String) {
        #expect(NearestName.of(name, among: Self.known) == expected)
    }

    @Test(arguments: ["frobnicate", "", "portal-x", "base", String(repeating: "database", count: 11)])
    func far(_ name: String) { #expect(NearestName.of(name, among: Array(Self.known.dropLast())) == nil) }
}
