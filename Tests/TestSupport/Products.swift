// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// What the build that these tests belong to has made.
public enum Products {
    /// The folder of executables and modules, whatever the scratch path and configuration. The tests are mapped from
    /// there.
    public static let folder: String = {
        let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
        for line in maps.split(separator: "\n") where line.hasSuffix(".xctest") {
            guard let start = line.firstIndex(of: "/") else { continue }
            return URL(fileURLWithPath: String(line[start...])).deletingLastPathComponent().path
        }
        return Repository.path(".build/debug")
    }()

    /// An executable that the tests' target depends on.
    public static func path(_ name: String) -> String { folder + "/" + name }
}
