// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Transport

@Suite struct PartsTests {
    @Test(
        arguments: [
            ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("2001:DB8::2", "[2001:db8::2]:80"),
            ("::ffff:1.2.3.4", "[::ffff:1.2.3.4]:80"), ("localhost", nil), ("", nil), ("1.2.3", nil),
            ("1.2.3.4 ", nil),
            ("fe80::1%lo", nil), ("[::1]", nil),
        ] as [(String, String?)])
    func addresses(_ text: String, _ expected: String?) {
        #expect(Address(text, port: 80)?.description == expected)
    }

    @Test(arguments: [
        Address.ip4(0x7f00_0001, port: 65535), .ip6(high: 1, low: .max, scope: 3, port: 1), .unix("/tmp/x"),
        .unix(String(repeating: "a", count: 107)),
    ])
    func kernelForm(_ address: Address) {
        let again = unsafe address.withKernelForm { form, length in
            unsafe Address(UnsafeRawPointer(form), length: Int(length))
        }
        #expect(again == address)
    }

    @Test(arguments: ["", String(repeating: "a", count: 108), "a\0b"])
    func badPaths(_ path: String) throws {
        let loops = try TestLoops(1)
        let error = #expect(throws: TransportError.self) {
            try Listener(at: .unix(path), loops: loops.loops, security: .plain, handler: echo)
        }
        #expect(error?.code == .addressInvalid)
    }

    @Test func aLoopForEachCore() throws {
        let loops = try EventLoops()
        #expect(loops.all.count == Cores.available)
        loops.stop()
    }

    @Test func cores() {
        #expect(Cores.quota(cpuMax: "max 100000\n") == nil)
        #expect(Cores.quota(cpuMax: "100000 100000\n") == 1)
        #expect(Cores.quota(cpuMax: "150000 100000\n") == 2)
        #expect(Cores.quota(cpuMax: "1000 100000\n") == 1)
        #expect(Cores.quota(cpuMax: "") == nil)
        #expect(Cores.quota(cpuMax: "0 0") == nil)
        #expect(
            Cores.quotaFiles(cgroup: "1:cpu:/x\n0::/a/b\n") == [
                "/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/a/cpu.max", "/sys/fs/cgroup/a/b/cpu.max",
            ])
        #expect(Cores.quotaFiles(cgroup: "1:cpu:/x\n") == [])
        #expect(Cores.available >= 1)
        #expect(Cores.available <= Cores.affinity)
    }

    @Test func timersAgainstAList() {
        var generator = Trials.generator("timers")
        for _ in 0..<Trials.count(20, full: 500) {
            var heap = TimerHeap()
            var list: [LoopTimer] = []
            for _ in 0..<500 {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0, 1:
                    let timer = LoopTimer(deadline: .random(in: 0..<100, using: &generator)) {}
                    heap.insert(timer)
                    list.append(timer)
                case 2:
                    guard let timer = list.randomElement(using: &generator) else { continue }
                    heap.remove(timer)
                    heap.remove(timer)
                    list.removeAll { $0 === timer }
                default:
                    let now = UInt64.random(in: 0..<100, using: &generator)
                    let least = list.map(\.deadline).min()
                    let due = heap.popDue(now)
                    #expect(due?.deadline == least.flatMap { $0 <= now ? $0 : nil })
                    if let due { list.removeAll { $0 === due } }
                }
                guard heap.count == list.count, heap.nextDeadline == list.map(\.deadline).min() else {
                    Issue.record("\(heap.count) timers in place of \(list.count)")
                    return
                }
            }
        }
    }

    @Test func ledger() {
        var limits = TransportLimits()
        limits.connections = 5
        limits.connectionsPerAddress = 2
        var ledger = ConnectionLedger()
        let (a, b) = (Address.ip4(1, port: 1), Address.ip4(2, port: 1))
        var taken: [Bool] = []
        func take(_ address: Address) { taken.append(ledger.admit(address, limits)) }
        for address in [a, .ip4(1, port: 9), a, b] { take(address) }
        #expect(taken == [true, true, false, true])
        ledger.release(a)
        take(a)
        // One /64 is one client, a mapped address is the IPv4 one, unix sockets have no limit of their own.
        for low in 1...3 { take(.ip6(high: 7, low: UInt64(low), scope: 0, port: 1)) }
        #expect(taken.suffix(4) == [true, true, true, false])
        #expect(Address("::ffff:1.2.3.4", port: 1)?.client == Address("1.2.3.4", port: 2)?.client)
        ledger.release(b)
        for _ in 0..<2 { take(.unix("")) }
        #expect(taken.suffix(2) == [true, false], "the total is reached")
        #expect(ledger.total == 5)
    }

    @Test func noDescriptorsForAllConnections() {
        #expect(TransportLimits().within(descriptors: 1024).connections == 960)
        #expect(TransportLimits().within(descriptors: 10).connections == 1)
        #expect(TransportLimits().within(descriptors: 1 << 20).connections == 4096)
    }

    @Test func outputBuffer() {
        var generator = Trials.generator("output buffer")
        let buffer = OutputBuffer()
        var model: [UInt8] = []
        for step in 0..<2000 {
            if Bool.random(using: &generator) {
                let bytes = (0..<Int.random(in: 0...20_000, using: &generator)).map {
                    UInt8(truncatingIfNeeded: $0 + step)
                }
                buffer.append(bytes.span)
                model += bytes
            } else {
                let part = Int.random(in: 0...30_000, using: &generator)
                let seen = unsafe buffer.withFirst(part) { unsafe Array($0) }
                #expect(seen == Array(model.prefix(part)))
                buffer.remove(first: seen.count)
                model.removeFirst(seen.count)
            }
            #expect(buffer.count == model.count)
            if buffer.count > 1 << 20 {
                buffer.remove(first: buffer.count)
                model = []
            }
        }
    }

    @Test func resolver() async throws {
        let found = try await SystemResolver().addresses(of: "localhost", port: 7)
        #expect(found.contains { $0.description == "127.0.0.1:7" || $0.description == "[::1]:7" })
        #expect(try await SystemResolver().addresses(of: "::1", port: 7).map(\.description) == ["[::1]:7"])
        await #expect(throws: TransportError.self) {
            try await SystemResolver().addresses(of: "no-such-host.invalid", port: 7)
        }
    }
}
