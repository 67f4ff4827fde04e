// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Foundation
import Keyring
import MemoryScan
import Signatures
import SigningFarm
import TestPeers
import TestSupport
import Testing

/// Where the keys of the real program are, and where they are not.
@Suite(.serialized, .needs(.tracing), .needs(.root), .needs(.noSanitizer)) struct ServerMemoryTests {
    private struct Wrong: Error, CustomStringConvertible {
        var description: String
    }

    /// A key of each family, and a server that may sign with them.
    private struct Running {
        let farm: SigningFarm
        let keys: [KeyRecord]
        let server: RunningServer
        let client: PythonClient
        private let stubs: PythonStubs

        init(_ name: String) async throws {
            farm = try await ProgramTests.farm.value
            var keys: [KeyRecord] = []
            for algorithm in [KeyAlgorithm.rsa2048, .p256, .ed25519] {
                keys.append(try await farm.addOpenPGP("\(name)-\(algorithm.rawValue)", algorithm))
            }
            self.keys = keys
            try await farm.grant(keys, [.generic], to: "spiffe://test/client")
            let (farm, settings) = (farm, try farm.settings(name))
            (stubs, server) = try await apart { (try PythonStubs(), try RunningServer(settings: settings)) }
            client = try PythonClient(of: server, farm, stubs)
        }

        func signWithAll() throws {
            for key in keys {
                let answer = client.sign(key.name.text, "generic", ServiceTests.content)
                guard answer.count > 1, answer[1] == "ok" else { throw Wrong(description: "\(answer)") }
            }
        }
    }

    private static func nothing(
        of keys: [KeyRecord], _ farm: SigningFarm, in memory: borrowing ProcessMemory, _ when: Comment
    ) {
        for key in keys {
            for number in farm.numbers(of: key) {
                let found = [memory.places(of: number.encoded), memory.places(of: number.limbs)]
                #expect(found == [.init(), .init()], "\(when): \(key.name) \(number.name) \(found)")
            }
        }
    }

    @Test func liveKeysAreInLockedPagesAndDroppedOnesNowhere() async throws {
        let running = try await Running("data-memory")
        let farm = running.farm
        let memory = try ProcessMemory(of: running.server.process.identifier)
        Self.nothing(of: running.keys, farm, in: memory, "before the first job")
        try running.signWithAll()
        for key in running.keys {
            for number in farm.numbers(of: key) {
                let (encoded, limbs) = (memory.places(of: number.encoded), memory.places(of: number.limbs))
                let words: Comment = "\(key.name) \(number.name): encoded \(encoded), limbs \(limbs)"
                let present = number.name == "seed" ? encoded : limbs
                #expect(present.locked > 0, words)
                // The encoding is gone as soon as the key is there.
                #expect(number.name == "seed" || encoded == .init(), words)
                #expect(present.elsewhere == 0, words)
            }
        }
        for (place, key) in running.keys.enumerated() {
            try await farm.change(key, to: .disabled)
            #expect(running.client.sign(key.name.text, "generic", [1])[1] == "key-disabled")
            await eventually("\(key.name) is still somewhere") {
                farm.numbers(of: key).allSatisfy {
                    memory.count($0.encoded) == 0 && memory.count($0.limbs) == 0
                }
            }
            // The others are not disturbed.
            for other in running.keys[(place + 1)...] {
                #expect(running.client.sign(other.name.text, "generic", [1])[1] == "ok")
            }
        }
    }

    /// A server that was asked to end, held at the very end of its life: no key, no key of the key service and no password.
    @Test func aDrainedServerHoldsNoSecret() async throws {
        let running = try await Running("data-drained")
        let farm = running.farm
        try running.signWithAll()
        let process = running.server.process
        let end = try ProcessEnd(of: process.identifier)
        let memory = try ProcessMemory(of: process.identifier)
        let live = farm.numbers(of: running.keys[2])
        #expect(live.allSatisfy { memory.count($0.encoded) > 0 })
        process.signal(SIGTERM)
        try await apart { try end.wait() }
        Self.nothing(of: running.keys, farm, in: memory, "at the end")
        for path in [farm.keyServiceFile, farm.passwordFile] {
            let bytes = try Command.check(["cat", path]).stdout
            #expect(memory.count(Canary(of: bytes.span)) == 0, "\(path)")
        }
    }

    /// All that the database and the server wrote while keys were made, stored and used.
    @Test func keysAreInNoFileLogOrMetric() async throws {
        let running = try await Running("data-written")
        let farm = running.farm
        try running.signWithAll()
        try farm.database.sql("FLUSH TABLES;\n")
        var places = try SecretSearch.files(of: farm.database.folder.path + "/data")
        places["log"] = Array(running.server.process.errorText.utf8)
        let page = "http://127.0.0.1:\(running.server.statusPort)/metrics"
        places["metrics"] = try Command.check(["curl", "-sS", page]).stdout
        var secrets: [(name: String, bytes: [UInt8])] = []
        for key in running.keys {
            for number in farm.numbers(of: key) {
                secrets.append(("\(key.name) \(number.name)", number.encoded.masked.map { $0 ^ Canary.mask }))
            }
        }
        #expect(secrets.count == 5)
        #expect(try SecretSearch.findings(of: secrets, in: places) == "")
        // The search finds what is there.
        let fingerprint = (name: "a fingerprint", bytes: running.keys[0].fingerprint)
        #expect(try SecretSearch.findings(of: [fingerprint], in: places).contains("a fingerprint"))
    }
}
