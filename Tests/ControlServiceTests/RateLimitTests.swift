// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import HTTP
import HTTP2
import Keyring
import Testing
import Transport

@testable import ControlService

@Suite struct RateLimitTests {
    private final class Time: Sendable {
        let now = Lock(Moment(seconds: 1000))
        var clock: Clock { { self.now.withLock { $0 } } }
        func pass(_ duration: Duration) { now.withLock { $0 = $0 + duration } }
    }

    @Test func aBucketHoldsAMinuteAndFillsEvenly() throws {
        let time = Time()
        let limits = RateLimits(.init(perUser: 60, perStranger: 6), clock: time.clock)
        let user = RateLimits.Source.user(try .random())
        for _ in 0..<60 { #expect(limits.take(user) == nil) }
        #expect(limits.take(user) == 1)
        time.pass(.milliseconds(900))
        #expect(limits.take(user) == 1)
        time.pass(.milliseconds(101))
        #expect(limits.take(user) == nil)
        #expect(limits.take(user) == 1)
        // Idle for an hour is a minute's worth again, and no more.
        time.pass(.seconds(3600))
        for _ in 0..<60 { #expect(limits.take(user) == nil) }
        #expect(limits.take(user) == 1)
        // A clock that is set back neither fills nor takes.
        time.pass(.seconds(-3600))
        #expect(limits.take(user) == 1)
        let stranger = RateLimits.Source(.ip4(1, port: 5))
        for _ in 0..<6 { #expect(limits.take(stranger) == nil) }
        #expect(limits.take(stranger) == 10)
    }

    @Test func oneNetworkOfVersionSixIsOneStranger() {
        let limits = RateLimits(.init(perUser: 1, perStranger: 1), clock: Time().clock)
        #expect(limits.take(.init(.ip6(high: 7, low: 1, scope: 0, port: 1))) == nil)
        #expect(limits.take(.init(.ip6(high: 7, low: 2, scope: 0, port: 2))) != nil)
        #expect(limits.take(.init(.ip6(high: 8, low: 1, scope: 0, port: 1))) == nil)
        #expect(limits.take(.init(.ip4(1, port: 1))) == nil)
        #expect(limits.take(.init(.ip4(2, port: 1))) == nil)
        #expect(limits.take(.init(.ip4(2, port: 2))) != nil)
        let none = RateLimits(.none, clock: Time().clock)
        for _ in 0..<10_000 { #expect(none.take(.init(.ip4(1, port: 1))) == nil) }
    }

    /// A flood from everywhere costs bounded memory, and users what they had.
    @Test func aCrowdIsForgotten() throws {
        let time = Time()
        let limits = RateLimits(.init(perUser: 2, perStranger: 1), clock: time.clock)
        let user = RateLimits.Source.user(try .random())
        #expect(limits.take(user) == nil)
        #expect(limits.take(user) == nil)
        for address in 0..<UInt32(RateLimits.most + 10) { _ = limits.take(.init(.ip4(address, port: 0))) }
        #expect(limits.count <= RateLimits.most)
        #expect(limits.take(user) != nil)
    }

    @Test func eachIsHeldBackByWhatHeIs() async throws {
        let office = try await Office(limits: .init(perUser: 3, perStranger: 3))
        for _ in 0..<3 {
            #expect(try await office.ask(.get, "/api/v1/users/info", as: .viewer).status == 200)
        }
        let held = try await office.ask(.get, "/api/v1/users/info", as: .viewer)
        #expect(held.status == 429 && held.code == ErrorCode.quotaExceeded.id)
        #expect(held.fields["retry-after"] == "20")
        #expect(try await office.ask(.get, "/api/v1/users/info", as: .operator).status == 200)
        // A wrong token is a stranger's, and so was the one who read the description.
        #expect(try await office.ask(.get, "/api/v1/users/info", token: "nonsense").status == 401)
        #expect(try await office.ask(.get, "/api/health/", as: nil).status == 200)
        #expect(try await office.ask(.get, "/api/health/", as: nil).status == 429)
        #expect(try await office.ask(.get, "/api/v1/users/info", token: "nonsense").status == 429)
        #expect(try await office.ask(.get, "/api/v1/users/info", as: .operator).status == 200)
        office.pass(.seconds(21))
        #expect(try await office.ask(.get, "/api/v1/users/info", as: .viewer).status == 200)
        #expect(try await office.ask(.get, "/api/v1/users/info", as: .viewer).status == 429)
    }
}
