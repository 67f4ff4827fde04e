// SPDX-License-Identifier: Apache-2.0

/// How much one data-server takes on at once, and how long it waits.
public struct ServiceLimits: Sendable, Hashable {
    /// Jobs in flight: of all clients, of one client, and on one stream, where more are not read.
    public var jobs = 8192
    public var jobsOfClient = 2048
    public var jobsOfStream = 512
    /// Bytes of content that wait for their job, of all clients. A client may hold as much as he leaves to others, so
    /// that however many hold as much as they can, some is left.
    public var heldContent = 32 << 20
    /// Content that comes in parts has to grow by `uploadStep`, or end, within each `uploadPause`.
    public var uploadStep = 64 << 10
    public var uploadPause: Duration = .seconds(10)
    /// The largest main header of an RPM, and the largest file of any other kind.
    public var largestHeader = 16 << 20
    public var largestContent = 64 << 20
    /// How long a job may take when the client does not say, and at most.
    public var jobTime: Duration = .seconds(30)
    public var longestJobTime: Duration = .seconds(300)
    /// What a client is told to wait before another try.
    public var retryAfter: Duration = .milliseconds(500)
    /// How far this machine's clock and the database's may be apart.
    public var clockSkew: Duration = .seconds(5)
    /// How often the database is asked for the revision, and how old its last answer may be for jobs to be judged.
    public var pulseEvery: Duration = .milliseconds(200)
    public var pulseLasts: Duration = .milliseconds(2500)
    /// Rows of one transaction.
    public var recordsAtOnce = 256
    /// Bytes of private halves that are held, and how long an unused one is.
    public var keyBytes = 256 << 10
    public var keyIdle: Duration = .seconds(3600)

    public init() {}
}
