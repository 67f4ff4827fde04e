// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import ControlService

@Suite struct MigrationsFolderTests {
    @Test func isBesideAnInstalledProgram() throws {
        let folder = try TemporaryFolder()
        let installed = folder.path + "/share/signet/migrations"
        let program = folder.path + "/bin/control-admin"
        #expect(MigrationsFolder.found(program: program) == "migrations")
        try FileManager.default.createDirectory(atPath: installed, withIntermediateDirectories: true)
        #expect(MigrationsFolder.found(program: program) == installed)
        #expect(MigrationsFolder.found(program: nil) == "migrations")
    }
}
