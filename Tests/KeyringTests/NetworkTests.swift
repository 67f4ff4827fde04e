// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Keyring
import Signatures
import TestSupport
import Testing

@Suite struct NetworkTests {
    static let good: [(String, String)] = [
        ("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.7", "192.0.2.7/32"), ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::/32", "2001:db8::/32"), ("::/0", "::/0"), ("::1", "::1/128"), ("fe80::/10", "fe80::/10"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3/128"), ("1:2:3:4:5:6:7:0/112", "1:2:3:4:5:6:7:0/112"),
    ]

    @Test(arguments: good) func reads(_ text: String, _ shown: String) throws {
        #expect(try Network(text).description == shown)
        #expect(try Network(shown) == Network(text))
    }

    @Test(arguments: [
        "", "10", "10.0.0", "10.0.0.0.0", "010.0.0.0", "10.0.0.256", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/",
        "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/+8", "::g", ":::", "1:2:3", "1::2::3", "1:2:3:4:5:6:7:8:9",
        "12345::",
        "::1/129", "2001:db8::1/32", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "+1::", "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "farm.example.org", " 10.0.0.0/8",
    ])
    func refuses(_ text: String) { #expect(throws: KeyringError.self) { try Network(text) } }

    /// What Python's `ipaddress` says of the same networks and addresses.
    @Test func agreesWithPython() throws {
        var random = Trials.generator("networks")
        var lines: [String] = []
        for _ in 0..<Trials.count(500, full: 20_000) {
            // Few bits, so that addresses are often inside.
            func six() -> UInt64 {
                UInt64.random(in: 0..<4, using: &random) << UInt64.random(in: 0..<63, using: &random)
            }
            let (high, low) = (six(), six())
            let words = [high, low].flatMap { word in
                (0..<4).map { String(word >> UInt64(48 - 16 * $0) & 0xffff, radix: 16) }
            }
            let bits = UInt32(truncatingIfNeeded: low)
            let four = (0..<4).map { String(bits >> UInt32(24 - 8 * $0) & 0xff) }.joined(separator: ".")
            lines.append(
                "\(four)/\(Int.random(in: 0...32, using: &random)) \(bits ^ UInt32.random(in: 0..<4, using: &random))"
            )
            lines.append(
                "\(words.joined(separator: ":"))/\(Int.random(in: 0...128, using: &random)) \(high) \(low ^ 1)"
            )
        }
        let program = """
            import ipaddress, sys
            for line in sys.stdin:
                network, *number = line.split()
                network = ipaddress.ip_network(network, strict=False)
                number = [int(part) for part in number]
                address = ipaddress.IPv4Address(number[0]) if len(number) == 1 else \
                    ipaddress.IPv6Address(number[0] << 64 | number[1])
                print(network, address in network)
            """
        let told = try Command.check(
            ["python3", "-c", program], input: Array(lines.map { $0 + "\n" }.joined().utf8)
        )
        .text.split(separator: "\n")
        try #require(told.count == lines.count)
        for (line, answer) in zip(lines, told) {
            let numbers = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
            let parts = answer.split(separator: " ")
            let network = try Network(String(parts[0]))
            #expect(network.description == parts[0])
            let source =
                numbers.count == 1
                ? SourceAddress(ip4: UInt32(numbers[0])) : SourceAddress(ip6High: numbers[0], low: numbers[1])
            #expect(network.contains(source) == (parts[1] == "True"), "\(line): \(answer)")
            // The one that is asked for, too, unless it has bits behind its length.
            let asked = String(line.split(separator: " ")[0])
            if let read = try? Network(asked) { #expect(read == network) }
        }
    }

    @Test func anAddressInsideAnotherIsItself() throws {
        let mapped = SourceAddress(ip6High: 0, low: 0xffff_0a00_0001)
        #expect(mapped == SourceAddress(ip4: 0x0a00_0001))
        #expect(try Network("10.0.0.0/8").contains(mapped) && !Network("::/0").contains(mapped))
    }

    @Test func theGateLooksWhereACallComesFrom() throws {
        let key = try Samples.key()
        func gate(_ networks: [String], from source: SourceAddress?) throws -> Result<GrantID, SignRefusal> {
            let grant = try Grant(
                id: .random(), clients: Samples.grant([key.id]).clients, keys: [key.id], kinds: [.module],
                created: Samples.now,
                networks: Set(networks.map { try Network($0) }))
            do {
                let permit = try Gate(
                    AccessList(revision: Revision(1), grants: [grant]), at: Samples.now, from: source
                ).permit(Samples.client(), key: key, kind: .module)
                return .success(permit.ruling.grant)
            } catch let refusal as SignRefusal { return .failure(refusal) }
        }
        let (inside, outside) = (SourceAddress(ip4: 0x0a01_0203), SourceAddress(ip4: 0x0b01_0203))
        func isOpen(_ networks: [String], from source: SourceAddress?) throws -> Bool {
            switch try gate(networks, from: source) {
            case .success: return true
            case .failure(let refusal):
                #expect(refusal.code == .networkNotGranted)
                return false
            }
        }
        #expect(try isOpen([], from: nil) && isOpen([], from: outside))
        #expect(try isOpen(["10.0.0.0/8"], from: inside) && !isOpen(["10.0.0.0/8"], from: outside))
        #expect(try isOpen(["::1", "10.0.0.0/8"], from: inside))
        // What nobody knows is in no network.
        #expect(try !isOpen(["0.0.0.0/0", "::/0"], from: nil))
    }
}
