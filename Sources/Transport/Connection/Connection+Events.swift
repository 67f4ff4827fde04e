// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

extension Connection: Watcher {
    /// Begins to live on the loop.
    func start() {
        armWatchdog()
        switch phase {
        case .connecting: watch([.output])
        default: advanceHandshake()
        }
    }

    func ready(_ readiness: Readiness) {
        switch phase {
        case .connecting: finishConnecting()
        case .handshaking: advanceHandshake()
        case .open:
            if readiness.contains(.output) { unblock() }
            if !readiness.isDisjoint(with: [.input, .broken]) { inputReady(readiness) }
        case .closing:
            if readiness.contains(.output) { unblock() }
            if !readiness.isDisjoint(with: [.input, .broken]) { discardInput() }
        case .closed: break
        }
    }

    func loopEnded() { abort(.abandoned) }

    // MARK: Interest

    func watch(_ interest: Readiness) {
        guard let channel, phase != .closed else { return }
        if isWatched {
            guard interest != self.interest else { return }
            self.interest = interest
            loop.core.change(channel.descriptor, id: id, interest)
            return
        }
        do {
            try loop.core.watch(self, channel.descriptor, id: id, interest)
            isWatched = true
            self.interest = interest
        } catch {
            abort(.system(error.message))
        }
    }

    func updateInterest() {
        guard phase == .open || phase == .closing else { return }
        var interest: Readiness = []
        if (!isPaused || phase == .closing) && !inputEnded { interest.insert(.input) }
        if isBlocked || readWantsOutput { interest.insert(.output) }
        watch(interest)
    }

    // MARK: The beginning

    private func finishConnecting() {
        guard let channel else { return }
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(channel.descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
        guard number == 0 else { return abort(.notConnected(TransportError.text(of: number))) }
        phase = .handshaking
        advanceHandshake()
    }

    private func advanceHandshake() {
        guard let channel else { return }
        switch channel.handshake() {
        case .bytes: open()
        case .wantsInput: watch([.input])
        case .wantsOutput: watch([.output])
        case .end: abort(.handshake(.cut))
        case .failed(let reason):
            // The alert that tells the peer why is on its way; a reset would overtake it.
            self.reason = reason
            phase = .closing
            willFinish = true
            flush()
        }
    }

    private func open() {
        phase = .open
        // Our side sends nothing after a client's last handshake message, and a client with Nagle's algorithm would wait
        // for its delayed acknowledgement.
        if role == .server, isSecure, let channel { Socket.acknowledgeNow(channel.descriptor, remote) }
        if let channel = channel as? TLSChannel {
            peer = channel.peer
            applicationProtocol = channel.applicationProtocol
        }
        if let reason = refuse?(self) { return close(reason) }
        refuse = nil
        handler = makeHandler?(self)
        makeHandler = nil
        lastActivity = loop.core.now
        armWatchdog()
        updateInterest()
        // What came right behind the handshake may already be inside.
        if channel?.holdsInput == true { readSoon() }
        flushSoon()
    }

    // MARK: Input

    private func inputReady(_ readiness: Readiness) {
        if inputEnded {
            if readiness.contains(.broken) { abort(.cut) }
        } else if isPaused {
            guard readiness.contains(.broken), let channel else { return }
            // epoll would report this for ever. Reading, or the next write, will find out.
            loop.core.silence(channel.descriptor)
            isWatched = false
        } else {
            readInput()
        }
    }

    func readSoon() {
        guard !willReadAgain else { return }
        willReadAgain = true
        loop.core.readAgain(self)
    }

    func readLeftovers() {
        willReadAgain = false
        if phase == .open { readInput() } else if phase == .closing { discardInput() }
    }

    /// So many bytes in one turn let expect more.
    private static let much = 32 << 10

    /// Reads for a while, so that others get their turn as well.
    func readInput() {
        let buffer = loop.core.readBuffer
        var total = 0
        for _ in 0..<16 {
            guard phase == .open, !isPaused, !inputEnded, let channel else { return }
            switch channel.read(into: buffer) {
            case .bytes(let count):
                noteInput(count)
                buffer.withBytes(count) { handler?.received($0, on: self) }
                if wipesInput { buffer.wipe(count) }
                // After little, a call that finds nothing more costs as much as epoll telling of it.
                total += count
                if total < Self.much && !channel.holdsInput { return }
            case .wantsInput: return
            case .wantsOutput:
                readWantsOutput = true
                return updateInterest()
            case .end:
                inputEnded = true
                handler?.inputEnded(on: self)
                return settleEnd()
            case .failed(let reason): return abort(reason)
            }
        }
        if channel?.holdsInput == true { readSoon() }
    }

    /// In the closing phase only the end of the input matters.
    private func discardInput() {
        guard let channel, !inputEnded else { return abort(reason ?? .cut) }
        let buffer = loop.core.readBuffer
        for _ in 0..<16 {
            let count = unsafe recv(channel.descriptor, buffer.storage.baseAddress, buffer.capacity, 0)
            if count > 0 { continue }
            if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
            if count < 0 { return abort(reason ?? .cut) }
            inputEnded = true
            return settleEnd()
        }
    }

    /// When both directions have ended, so has the connection.
    func settleEnd() {
        if inputEnded && outputShut { abort(reason ?? .done) } else { updateInterest() }
    }

    func linger() {
        guard lingering == nil else { return }
        lingering = loop.schedule(after: limits.linger) { [weak self] in
            guard let self else { return }
            self.abort(self.reason ?? .cut)
        }
    }
}
