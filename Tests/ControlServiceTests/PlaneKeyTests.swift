// SPDX-License-Identifier: Apache-2.0

import ControlService
import Cryptography
import Diagnostics
import KMS
import Keyring
import Secrets
import Storage
import TestSupport
import Testing

/// Each plane under a wrapping key of its own.
@Suite struct PlaneKeyTests {
    private let folder: TemporaryFolder
    private let stores = MemoryStorage(now: { Office.start })
    private static let program = Caller(program: "test")

    init() throws {
        folder = try TemporaryFolder()
        for name in ["signing", "certifying"] {
            try SecretBytes(randomCount: 32).write(toNewFile: folder.path + "/" + name)
        }
    }

    private func service(_ name: String) throws -> any KeyWrapping {
        let log = Log(to: try LogSink(program: "test", level: .error))
        return try ProviderSettings.file(.file(folder.path + "/" + name), older: []).open(
            in: .production, log: log)
    }

    private func newest(_ plane: Plane) async throws -> WrappedKey {
        try #require(try await stores.clusterKeys(of: plane).first)
    }

    private func rotation(_ ring: ClusterKeyRing) -> Rotation {
        Rotation(stores: stores, ring: ring, clock: { Office.start })
    }

    @Test func eachServiceOpensItsOwnPlaneAlone() async throws {
        let ring = ClusterKeyRing(
            store: stores, wrapping: try service("signing"), certifying: try service("certifying"),
            sharesKeys: false)
        for _ in 0..<2 {
            try await ring.prepare(by: Self.program, at: Office.start)
            let (data, control) = try await (newest(.data), newest(.control))
            #expect(try await data.unwrapped(by: service("signing")).id == data.id)
            #expect(try await control.unwrapped(by: service("certifying")).id == control.id)
            await #expect(throws: KMSError.self) { _ = try await control.unwrapped(by: service("signing")) }
            await #expect(throws: KMSError.self) { _ = try await data.unwrapped(by: service("certifying")) }
            for plane in Plane.allCases { _ = try await rotation(ring).rotate(plane, by: Self.program) }
        }
    }

    @Test func oneKeyForBothIsRefused() async throws {
        // Two names of one key.
        let copy = try SecretBytes(contentsOf: folder.path + "/signing")
        try copy.write(toNewFile: folder.path + "/copy")
        let ring = ClusterKeyRing(
            store: stores, wrapping: try service("signing"), certifying: try service("copy"),
            sharesKeys: false)
        let error = await #expect(throws: ControlError.self) {
            try await ring.prepare(by: Self.program, at: Office.start)
        }
        #expect(error?.code == .kmsKeyShared)
        #expect(try await stores.clusterKeys(of: .control).isEmpty)
    }

    @Test func aPlaneGetsAServiceOfItsOwnLater() async throws {
        let before = ClusterKeyRing(store: stores, wrapping: try service("signing"))
        try await before.prepare(by: Self.program, at: Office.start)
        let subject = try DistinguishedName([(DistinguishedName.commonName, "Farm")])
        func keys(_ ring: ClusterKeyRing) -> KeyRegister {
            KeyRegister(keys: stores, ring: ring, clock: { Office.start })
        }
        _ = try await keys(before).generate(
            KeyOrder(
                name: KeyName("farm-ca"), algorithm: .p256, expires: Office.start + .seconds(86_400),
                sort: .authority(subject)), by: Self.program)
        let after = ClusterKeyRing(
            store: stores, wrapping: try service("signing"), certifying: try service("certifying"),
            sharesKeys: false)
        // What is there opens still, until it is under the new service.
        _ = try await keys(after).apply(.enable, to: "farm-ca", by: Self.program)
        let old = try await newest(.control)
        _ = try await rotation(after).rotate(.control, by: Self.program)
        let report = try await rotation(after).round(by: Self.program)
        #expect(report.resealed == 1 && report.broken == 0)
        #expect(try await newest(.control).secret.key != old.secret.key)
        let alone = ClusterKeyRing(store: stores, wrapping: try service("certifying"))
        _ = try await keys(alone).apply(.disable, to: "farm-ca", by: Self.program)
    }
}
