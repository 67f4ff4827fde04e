// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Transport

/// How many requests somebody may make: a bucket of tokens for each user, and one for each address of strangers.
///
/// A bucket holds a minute's worth and fills evenly. A request that finds it empty is refused, with how long to wait,
/// and takes nothing. What never comes from one place in IPv6 comes from its /64, which is what one customer has.
public final class RateLimits: Sendable {
    /// Requests a minute; 0 for any number.
    public struct Rules: Hashable, Sendable {
        public var perUser = 6000
        /// For who has no token, or one that is not taken.
        public var perStranger = 1200

        public init(perUser: Int = 6000, perStranger: Int = 1200) {
            (self.perUser, self.perStranger) = (perUser, perStranger)
        }

        public static let none = Rules(perUser: 0, perStranger: 0)
    }

    /// Whose bucket.
    enum Source: Hashable {
        case user(UserID)
        case address(high: UInt64, low: UInt64)
    }

    private struct Bucket {
        var level: Double
        var seen: Moment
    }

    let rules: Rules
    private let clock: Clock
    private let buckets = Lock<[Source: Bucket]>([:])

    /// Of buckets; beyond it the full ones go, which say nothing.
    static let most = 50_000

    public init(_ rules: Rules, clock: @escaping Clock) {
        self.rules = rules
        self.clock = clock
    }

    /// Takes one token; else seconds until there is one.
    func take(_ source: Source) -> Int? {
        let perMinute = if case .user = source { rules.perUser } else { rules.perStranger }
        guard perMinute > 0 else { return nil }
        let (most, now) = (Double(perMinute), clock())
        return buckets.withLock { buckets in
            if buckets.count >= Self.most, buckets[source] == nil { Self.sweep(&buckets, rules, at: now) }
            var bucket = buckets[source] ?? Bucket(level: most, seen: now)
            bucket.level = Self.level(bucket, most, at: now)
            bucket.seen = now
            defer { buckets[source] = bucket }
            guard bucket.level >= 1 else { return Int(((1 - bucket.level) * 60 / most).rounded(.up)) }
            bucket.level -= 1
            return nil
        }
    }

    var count: Int { buckets.withLock { $0.count } }

    /// A clock that was set back fills nothing.
    private static func level(_ bucket: Bucket, _ most: Double, at now: Moment) -> Double {
        let seconds = max(0, (now - bucket.seen) / Duration.seconds(1))
        return min(most, bucket.level + seconds * most / 60)
    }

    /// So many strangers at once are one crowd: they are forgotten when their buckets do not fill up by themselves.
    private static func sweep(_ buckets: inout [Source: Bucket], _ rules: Rules, at now: Moment) {
        let all = buckets
        buckets = all.filter { source, bucket in
            let most = if case .user = source { Double(rules.perUser) } else { Double(rules.perStranger) }
            return level(bucket, most, at: now) < most
        }
        guard buckets.count >= most else { return }
        buckets = buckets.filter { if case .user = $0.key { true } else { false } }
    }
}

extension RateLimits.Source {
    init(_ address: Address) {
        switch address {
        case .ip4(let bits, _): self = .address(high: 0xffff, low: UInt64(bits))
        case .ip6(let high, _, _, _): self = .address(high: high, low: 0)
        case .unix: self = .address(high: 0, low: 0)
        }
    }
}
