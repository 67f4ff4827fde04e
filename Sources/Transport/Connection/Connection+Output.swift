// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

extension Connection {
    func flushSoon() {
        guard !isDirty, phase == .open || phase == .closing else { return }
        isDirty = true
        loop.core.flushSoon(self)
    }

    func unblock() {
        isBlocked = false
        if readWantsOutput {
            readWantsOutput = false
            readSoon()
        }
        updateInterest()
        flushSoon()
    }

    /// Sends what waits, asking the protocol for more as long as there is room: for a while, then it is the others' turn.
    func flush() {
        isDirty = false
        guard phase == .open || phase == .closing, !isBlocked else { return }
        for _ in 0..<16 {
            askForOutput()
            guard let channel, !output.isEmpty else { break }
            switch unsafe output.withFirst(channel.writeSize, { unsafe channel.write($0) }) {
            case .bytes(let count):
                output.remove(first: count)
                noteOutput(count)
            case .wantsInput: return watchOutput()
            case .wantsOutput, .end:
                isBlocked = true
                watchOutput()
                return updateInterest()
            case .failed(let reason): return hearLastWords(reason)
            }
        }
        guard phase == .open || phase == .closing else { return }
        // The last turn of the loop may have emptied it, with nobody asked for more yet.
        guard output.isEmpty, !(producesMore && isOpen) else { return flushSoon() }
        outputWindow = nil
        if willFinish && !outputShut { shutOutput() }
    }

    /// The peer takes nothing more. What it said before, such as the alert that tells why, may still lie in the socket.
    private func hearLastWords(_ reason: CloseReason) {
        isBlocked = true
        if phase == .open, !isPaused, !inputEnded { readInput() }
        abort(reason)
    }

    private func askForOutput() {
        guard producesMore, isOpen, output.count < limits.outputLow else { return }
        producesMore = false
        handler?.produce(room: limits.outputHigh - output.count, on: self)
    }

    private func shutOutput() {
        guard let channel else { return }
        outputShut = true
        channel.sayEnd()
        shutdown(channel.descriptor, Int32(SHUT_WR))
        if phase == .closing { linger() }
        settleEnd()
    }
}
