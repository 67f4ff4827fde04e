// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import SigningClient

@Suite struct WorkBoardTests {
    /// A board over files of these sizes.
    static func board(
        _ sizes: [Int], jobs: Int = 10, memory: Int, _ folder: TemporaryFolder
    ) throws -> WorkBoard {
        for (index, size) in sizes.enumerated() {
            try folder.write("\(index)", [UInt8](repeating: 0, count: size))
        }
        return WorkBoard(FileWalk([folder.path]), jobs: jobs, memory: memory)
    }

    private static func file(_ step: WorkBoard.Step) -> (name: String, step: FileWalk.Step, room: Int)? {
        guard case .read(let step, let room) = step, case .file(let path, _, _) = step else { return nil }
        return (String(path.split(separator: "/").last ?? ""), step, room)
    }

    /// A file whose claim turns out to be larger than the room that was kept for it waits until there is more, before
    /// all that come later.
    @Test func letsLargeClaimsWaitForRoom() throws {
        let folder = try TemporaryFolder()
        var board = try Self.board([100, 100, 100], memory: 1000, folder)
        let first = try #require(Self.file(board.take()))
        let second = try #require(Self.file(board.take()))
        #expect(first.name == "0" && first.room == 100)
        board.wasRead(second.step, room: second.room, needed: 950)
        // 100 are held, so 950 more do not fit, and nobody overtakes.
        var hasStep = board.hasStep
        #expect(!hasStep)
        board.wasRead(first.step, room: first.room)
        board.finished(nil)
        hasStep = board.hasStep
        #expect(hasStep)
        let again = try #require(Self.file(board.take()))
        #expect(again.name == "1" && again.room == 950)
        hasStep = board.hasStep
        #expect(!hasStep)
        board.wasRead(again.step, room: again.room)
        board.finished(nil)
        let third = try #require(Self.file(board.take()))
        #expect(third.name == "2")
        board.wasRead(third.step, room: third.room)
        board.finished(nil)
        hasStep = board.hasStep
        #expect(hasStep)
        guard case .end = board.take() else {
            Issue.record("it goes on")
            return
        }
    }

    /// One that is larger than all the room there is goes alone.
    @Test func letsTheLargestGoAlone() throws {
        let folder = try TemporaryFolder()
        var board = try Self.board([10, 10], memory: 20, folder)
        let first = try #require(Self.file(board.take()))
        board.wasRead(first.step, room: first.room, needed: 5000)
        let again = try #require(Self.file(board.take()))
        #expect(again.room == 5000)
        let hasStep = board.hasStep
        #expect(!hasStep)
    }

    @Test func forgetsWhatWaitsWhenItIsStopped() throws {
        let folder = try TemporaryFolder()
        var board = try Self.board([100, 100, 100], memory: 200, folder)
        let first = try #require(Self.file(board.take()))
        let second = try #require(Self.file(board.take()))
        board.wasRead(first.step, room: first.room, needed: 500)
        board.stop()
        var hasStep = board.hasStep
        #expect(!hasStep)
        board.wasRead(second.step, room: second.room, needed: 500)
        hasStep = board.hasStep
        #expect(hasStep)
        guard case .end = board.take() else {
            Issue.record("it goes on")
            return
        }
    }
}
