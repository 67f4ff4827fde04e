// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

@Suite struct LogSinkTests {
    /// Far more than the pipe and the queue hold: the caller goes on, the rest is counted, and when somebody reads at
    /// last, the lines and the report of the dropped ones come out.
    @Test(.timeLimit(.minutes(2)), arguments: [false, true])
    func aReaderThatSleepsCostsNoTime(_ nonBlocking: Bool) throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        if nonBlocking { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        let sink = try LogSink(program: "test", descriptor: descriptor, form: .json, capacity: 10_000)
        let log = Log(to: sink)
        for number in 0..<5000 { log.info("line", ["number": .integer(number)]) }
        #expect(sink.dropped > 3000)
        #expect(!sink.flush(within: .milliseconds(20)))

        let reader = pipe.fileHandleForReading
        let read = Lock("")
        let task = Thread {
            while let data = try? reader.read(upToCount: 1 << 16), !data.isEmpty {
                read.withLock { $0 += String(decoding: data, as: UTF8.self) }
            }
            read.withLock { $0 += "END" }
            read.wakeAll()
        }
        task.start()
        #expect(sink.flush(within: .seconds(60)))
        log.info("last")
        #expect(sink.flush(within: .seconds(60)))
        try pipe.fileHandleForWriting.close()
        let text = try #require(read.withLock(when: { $0.hasSuffix("END") }, within: .seconds(60)) { $0 })
        let objects = try text.dropLast(3).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let reported = objects.filter { $0["message"] as? String == "log lines were dropped" }
            .compactMap { ($0["attributes"] as? [String: Int])?["count"] }
        let numbers = objects.compactMap { ($0["attributes"] as? [String: Int])?["number"] }
        #expect(reported.reduce(0, +) == Int(sink.dropped))
        #expect(numbers.count + Int(sink.dropped) == 5000)
        #expect(numbers == numbers.sorted())
        #expect(objects.contains { $0["message"] as? String == "last" })
    }

    /// No signal ends the program, and the lines count as dropped.
    @Test(.timeLimit(.minutes(2))) func aReaderThatWentAwayIsNoFault() throws {
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let sink = try LogSink(
            program: "test", descriptor: pipe.fileHandleForWriting.fileDescriptor, form: .json)
        let log = Log(to: sink)
        log.info("one")
        #expect(sink.flush(within: .seconds(60)))
        log.info("two")
        #expect(sink.flush(within: .seconds(60)))
        #expect(sink.dropped == 2)
    }

    @Test func linesOfManyThreadsDoNotMix() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("log", "")
        let handle = try #require(FileHandle(forWritingAtPath: file))
        let sink = try LogSink(program: "test", descriptor: handle.fileDescriptor, form: .json)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let log = Log(to: sink).with(["thread": .integer(thread)])
            for number in 0..<200 { log.info("line", ["number": .integer(number)]) }
        }
        #expect(sink.flush(within: .seconds(60)))
        let lines = String(decoding: try folder.read("log"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 1600)
        var last: [Int: Int] = [:]
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let attributes = try #require(object?["attributes"] as? [String: Int])
            let (thread, number) = (try #require(attributes["thread"]), try #require(attributes["number"]))
            #expect(number == last[thread, default: -1] + 1)
            last[thread] = number
        }
    }

    @Test func aPipeGetsJSON() throws {
        let pipe = Pipe()
        let sink = try LogSink(program: "test", descriptor: pipe.fileHandleForWriting.fileDescriptor)
        #expect(sink.form == .json)
    }

    @Test func aTerminalGetsPrettyLines() throws {
        let terminal = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(terminal >= 0)
        defer { close(terminal) }
        let sink = try LogSink(program: "test", descriptor: terminal)
        guard case .pretty = sink.form else {
            Issue.record("a terminal got JSON")
            return
        }
    }
}
