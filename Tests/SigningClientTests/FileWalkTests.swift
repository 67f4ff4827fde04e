// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import SigningClient

@Suite struct FileWalkTests {
    static func steps(_ paths: [String]) -> [String] {
        var walk = FileWalk(paths)
        var steps: [String] = []
        while let step = walk.next() {
            switch step {
            case .file(let path, _, let isNamed): steps.append(path + (isNamed ? " named" : ""))
            case .unreadable(let path, let number): steps.append("\(path) error \(number)")
            }
        }
        return steps
    }

    @Test func goesThroughFoldersInOrder() throws {
        let folder = try TemporaryFolder()
        let root = folder.path + "/r"
        for name in ["b/c", "a", "d"] {
            try FileManager.default.createDirectory(
                atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        for name in ["z", "b/2", "b/1", "b/c/x", "a/y", ".hidden"] { try folder.write("r/\(name)", "") }
        try FileManager.default.createSymbolicLink(atPath: root + "/circle", withDestinationPath: ".")
        try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: "z")
        let all = ["a/y", "b/1", "b/2", "b/c/x", "z"].map { "\(root)/\($0)" }
        #expect(Self.steps([root]) == all)
        #expect(Self.steps([root + "/"]) == all)
        #expect(Self.steps([root + "/z", root + "/z", root + "/a"]) == [root + "/z named", root + "/a/y"])
        #expect(Self.steps([root + "/link"]) == [root + "/link named"])
        #expect(Self.steps([root + "/none"]) == [root + "/none error 2"])
        #expect(Self.steps([]).isEmpty)
    }
}
