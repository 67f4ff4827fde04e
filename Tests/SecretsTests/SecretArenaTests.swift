// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Secrets
import TestSupport
import Testing

@Suite struct SecretArenaTests {
    @Test(arguments: [0, 1, 31, 32, 33, 64, 100, 4095, 4096])
    func holdsWhatItWasFilledWith(_ size: Int) throws {
        let arena = SecretArena(budget: 1 << 18)
        let secret = try arena.secret(capacity: size) { output in
            for index in 0..<size { output.append(UInt8(truncatingIfNeeded: index)) }
        }
        #expect(secret.count == size)
        let isIntact = secret.bytes.indices.allSatisfy { secret.bytes[$0] == UInt8(truncatingIfNeeded: $0) }
        #expect(isIntact)
    }

    @Test(arguments: [-1, 4097, .max, .min])
    func refusesSizes(_ size: Int) {
        let error = #expect(throws: SecretsError.self) {
            _ = try SecretArena(budget: 1 << 18).secret(capacity: size) { _ in }
        }
        #expect(error?.code == .tooLarge)
    }

    private final class Holder {
        let secret: ArenaSecret
        init(_ arena: SecretArena, _ value: UInt8, capacity: Int = 32) throws {
            secret = try arena.secret(capacity: capacity) { output in
                while !output.isFull { output.append(value) }
            }
        }
        func holds(_ value: UInt8) -> Bool { Self.all(secret, value) }

        private static func all(_ secret: borrowing ArenaSecret, _ value: UInt8) -> Bool {
            for index in 0..<secret.count where secret.bytes[index] != value { return false }
            return true
        }
    }

    @Test func theBudgetIsABound() throws {
        let arena = SecretArena(budget: 8192)
        var held: [Holder] = []
        let error = #expect(throws: SecretsError.self) {
            while held.count < 10_000 {
                held.append(try Holder(arena, UInt8(truncatingIfNeeded: held.count)))
            }
        }
        #expect(error?.code == .secretBudgetSpent)
        #expect(error?.message.contains("8192 bytes") == true)
        // 64 bytes a slot.
        #expect(held.count == 8192 / 64)
        #expect(arena.locked == 8192)
        for (index, holder) in held.enumerated() { #expect(holder.holds(UInt8(truncatingIfNeeded: index))) }
        held.removeLast()
        held.append(try Holder(arena, 1))
        held = []
        #expect(arena.locked == 0)
        held.append(try Holder(arena, 1, capacity: 1024))
    }

    @Test func whatFillingThrowsGivesTheRoomBack() throws {
        struct Refusal: Error {}
        let arena = SecretArena(budget: 4096)
        for _ in 0..<200 {
            #expect(throws: Refusal.self) {
                _ = try arena.secret(capacity: 16) { _ throws(Refusal) in throw Refusal() }
            }
        }
        #expect(arena.locked == 0)
    }

    @Test func aSecretKeepsItsArena() throws {
        let holder = try Holder(SecretArena(budget: 4096), 9)
        #expect(holder.holds(9))
    }

    @Test func manyThreadsShareIt() throws {
        let arena = SecretArena(budget: 1 << 20)
        let wrong = Lock(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            var generator = Trials.generator("arena \(thread)")
            var held: [(UInt8, Holder)] = []
            for _ in 0..<Trials.count(300, full: 20_000) {
                let value = UInt8.random(in: .min ... .max, using: &generator)
                let size = Int.random(in: 0...600, using: &generator)
                if let holder = try? Holder(arena, value, capacity: size) { held.append((value, holder)) }
                if held.count > 20 { held.remove(at: Int.random(in: 0..<held.count, using: &generator)) }
            }
            let bad = held.count { !$0.1.holds($0.0) }
            wrong.withLock { $0 += bad }
        }
        #expect(wrong.withLock { $0 } == 0)
        #expect(arena.locked == 0)
    }

    @Test(arguments: [-1, 40, 32 + 8 + 15])
    func writingBesideASecretStopsTheProgram(_ offset: Int) async {
        // What an exit test runs takes nothing along, hence one for each place.
        switch offset {
        case -1: await #expect(processExitsWith: .failure) { try SecretArenaTests.overwrite(-1) }
        case 40: await #expect(processExitsWith: .failure) { try SecretArenaTests.overwrite(40) }
        default: await #expect(processExitsWith: .failure) { try SecretArenaTests.overwrite(55) }
        }
    }

    @Test func writingWithinItDoesNot() async {
        await #expect(processExitsWith: .success) { try SecretArenaTests.overwrite(39) }
    }

    private static func overwrite(_ offset: Int) throws {
        let secret = try SecretArena(budget: 4096).secret(capacity: 40) { $0.append(1) }
        unsafe secret.bytes.withUnsafeBufferPointer { bytes in
            let start = unsafe bytes.baseAddress.map { unsafe UnsafeMutablePointer(mutating: $0) }
            unsafe start?[offset] ^= 1
        }
    }
}
