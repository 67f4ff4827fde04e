// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

@Suite struct SessionTests {
    @Test func carriesARequestAndItsAnswer() throws {
        let pair = try Pair()
        let call = try pair.request("/hello", end: false)
        call.stream?.send(Array("ping".utf8))
        call.stream?.finish()
        try pair.run()
        let served = try #require(pair.served.first)
        #expect(served.heads.first?[":path"] == "/hello")
        #expect(served.body == Array("ping".utf8))
        #expect(served.ended)
        #expect(served.close == nil)

        served.stream?.send(head: [":status": "200", "content-type": "text/plain"])
        served.stream?.send(Array("pong".utf8))
        served.stream?.finish(trailers: ["grpc-status": "0"])
        try pair.run()
        #expect(call.heads.map { $0[":status"] } == ["200"])
        #expect(call.body == Array("pong".utf8))
        #expect(call.trailers?["grpc-status"] == "0")
        #expect(call.ended)
        #expect(call.close == .finished)
        #expect(served.close == .finished)
        #expect(pair.client.openStreams == 0)
        #expect(pair.server.openStreams == 0)
    }

    @Test func headsWithoutBodyAndInformationalOnes() throws {
        let pair = try Pair()
        let call = try pair.request()
        try pair.run()
        pair.served.first?.stream?.send(informational: [":status": "103"])
        pair.served.first?.stream?.send(head: [":status": "204"], end: true)
        try pair.run()
        #expect(call.heads.map { $0[":status"] } == ["103", "204"])
        #expect(call.close == .finished)
    }

    @Test func aSlowTakerHoldsUpItsOwnStreamAlone() throws {
        var limits = SessionLimits()
        limits.streamWindow = 64 * 1024
        limits.connectionWindow = 128 * 1024
        let pair = try Pair(server: limits)
        let slow = try pair.request("/slow", end: false)
        try pair.run()
        pair.served.first?.takesBody = false
        slow.stream?.send([UInt8](repeating: 1, count: 1 << 20))
        slow.stream?.finish()
        try pair.run()
        #expect(pair.served.first?.body.count == 64 * 1024)
        #expect(slow.stream?.pending == (1 << 20) - 64 * 1024)

        let quick = try pair.request("/quick", end: false)
        quick.stream?.send([UInt8](repeating: 2, count: 1 << 20))
        quick.stream?.finish()
        try pair.run()
        #expect(pair.served.last?.body.count == 1 << 20)

        pair.served.first?.takesBody = true
        pair.served.first?.stream?.taken(64 * 1024)
        try pair.run()
        #expect(pair.served.first?.body.count == 1 << 20)
        #expect(pair.served.first?.ended == true)
        #expect(slow.writables >= 1)
    }

    @Test func resetsAreToldToBothSides() throws {
        let pair = try Pair()
        let call = try pair.request("/", end: false)
        try pair.run()
        call.stream?.reset(.cancel)
        try pair.run()
        #expect(pair.served.first?.close == .reset(.cancel, byPeer: true))
        #expect(call.close == .reset(.cancel, byPeer: false))
        #expect(call.closes == 1)
        call.stream?.send([1])
        call.stream?.finish()
        call.stream?.reset(.cancel)
        try pair.run()
        #expect(call.closes == 1)
    }

    @Test func refusesStreamsWithoutAHandler() throws {
        let pair = try Pair()
        pair.server.accept = { _, _ in nil }
        let call = try pair.request()
        try pair.run()
        #expect(call.close == .reset(.refusedStream, byPeer: true))
    }

    @Test func streamsBeyondThePeersLimitWait() throws {
        var limits = SessionLimits()
        limits.concurrentStreams = 2
        let pair = try Pair(server: limits)
        let calls = try (0..<5).map { try pair.request("/\($0)") }
        try pair.run()
        #expect(pair.served.count == 2)
        for _ in 0..<5 {
            pair.served.last { $0.close == nil }?.stream?.send(head: [":status": "204"], end: true)
            try pair.run()
        }
        #expect(pair.served.count == 5)
        #expect(calls.allSatisfy { $0.close == .finished })
    }

    @Test func aHeadOverTheLimitIsCutAndMarked() throws {
        var limits = SessionLimits()
        limits.headerListSize = 400
        let pair = try Pair(server: limits)
        let recorder = Recorder()
        var head: HeaderFields = [":method": "GET", ":scheme": "https", ":authority": "a", ":path": "/"]
        head.append("big", String(repeating: "x", count: 5000))
        recorder.stream = try pair.client.request(head, handler: recorder, end: true)
        try pair.run()
        #expect(pair.served.first?.stream?.headIsCut == true)
        #expect(pair.served.first?.heads.first?.contains("big") == false)
    }

    @Test func goAwayLetsTheStreamsUnderWayFinish() throws {
        let pair = try Pair()
        var last: Int32?
        pair.client.goingAway = { number, _ in last = number }
        let call = try pair.request()
        try pair.run()
        pair.server.announceEnd()
        try pair.run()
        #expect(last == .max)
        pair.server.goAway()
        try pair.run()
        #expect(last == 1)
        pair.served.first?.stream?.send(head: [":status": "200"], end: true)
        try pair.run()
        #expect(call.close == .finished)
        #expect(pair.server.isFinished)
        #expect(pair.client.freeStreams == 0)
    }

    @Test func pingsAreAnswered() throws {
        let pair = try Pair()
        var answer: UInt64?
        pair.client.ponged = { answer = $0 }
        pair.client.ping(0x0102_0304_0506_0708)
        try pair.run()
        #expect(answer == 0x0102_0304_0506_0708)
    }

    @Test func aLostConnectionClosesEveryStream() throws {
        let pair = try Pair()
        let calls = try (0..<3).map { _ in try pair.request() }
        try pair.run()
        pair.server.disconnected()
        pair.client.disconnected()
        #expect(calls.allSatisfy { $0.close == .disconnected })
        #expect(pair.served.allSatisfy { $0.close == .disconnected })
    }
}
