// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Keyring
import TestSupport
import Testing

@Suite struct KeyStateTests {
    /// The whole table once more, drawn by hand: one row an action, one column a state, `.` for what is refused.
    static let drawn = """
                        disabled enabled pending_revoke revoked pending_delete revoked_pending_delete deleted destroyed expired
        enable          enabled  .       .              .       .              .                      .       .         .
        disable         .        disabled .             .       .              .                      .       .         .
        request_revoke  pending_revoke . pending_revoke .       .              .                      .       .         .
        cancel_revoke   .        .       disabled       .       .              .                      .       .         .
        revoke          revoked  .       revoked        .       .              .                      .       .         .
        request_delete  pending_delete . .  revoked_pending_delete pending_delete revoked_pending_delete . .  pending_delete
        cancel_delete   .        .       .              .       disabled       revoked                .       .         .
        delete          deleted  .       .              deleted deleted        deleted                .       .         deleted
        destroy         .        .       .              .       .              .                      destroyed .       .
        expire          expired  expired .              .       .              .                      .       .         .
        renew           disabled enabled .              .       .              .                      .       .         disabled
        sign            .        enabled .              .       .              .                      .       .         .
        certify         .        enabled .              .       .              .                      .       .         .
        list_revocations disabled enabled pending_revoke . pending_delete . . . expired
        export    disabled enabled pending_revoke revoked pending_delete revoked_pending_delete . . expired
        describe  disabled enabled pending_revoke revoked pending_delete revoked_pending_delete . . expired
        """

    @Test func theTableIsTheDrawnOne() throws {
        let lines = Self.drawn.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let states = try #require(lines.first).map { KeyState(rawValue: $0) }
        #expect(states == KeyState.allCases)
        #expect(lines.dropFirst().map { KeyAction(rawValue: $0[0]) } == KeyAction.allCases)
        for line in lines.dropFirst() {
            let action = try #require(KeyAction(rawValue: line[0]))
            #expect(line.count == states.count + 1)
            for (state, cell) in zip(states, line.dropFirst()) {
                let next = try #require(state).after(action)
                #expect(next?.rawValue ?? "." == cell, "\(action) in \(String(describing: state))")
            }
        }
    }

    @Test func theDocumentSaysTheSame() throws {
        func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
        let path = Repository.path("docs/reference/key-states.md")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(
            text.contains(
                row([""] + KeyState.allCases.map { "`\($0.rawValue)`" }).replacing("|  |", with: "| |")))
        for action in KeyAction.allCases {
            let cells = KeyState.allCases.map { state in state.after(action).map { "`\($0.rawValue)`" } ?? ""
            }
            #expect(text.contains(row(["`\(action.rawValue)`"] + cells)), "\(action)")
        }
    }

    @Test func nothingLeadsBackToLife() {
        // Whatever is done to a key that is revoked, deleted or destroyed, it never signs again.
        var reached: Set<KeyState> = [.revoked, .deleted, .destroyed]
        while true {
            let next = reached.union(
                reached.flatMap { state in KeyAction.allCases.compactMap { state.after($0) } })
            if next == reached { break }
            reached = next
        }
        #expect(reached == [.revoked, .revokedPendingDeletion, .deleted, .destroyed])
    }

    @Test func aRecordFollowsTheTable() throws {
        let key = try Samples.key(state: .disabled)
        #expect(try key.applying(.enable).state == .enabled)
        let error = #expect(throws: KeyringError.self) { try key.applying(.disable) }
        #expect(error?.code == .keyStateForbids)
        #expect(
            error?.message == "the key kernel-modules is disabled, and in this state disable is not possible")
    }
}
