// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// The listening socket on its home loop.
final class Acceptor: Watcher {
    private var socket: Descriptor?
    private let id = Connection.newID()
    private let number: Int32
    private var listener: Listener?
    private var pause: LoopTimer?
    /// Given up for a moment when no descriptor is left, so that the waiting connection can be taken and closed.
    private var spare: Descriptor?
    private let path: String?

    init(_ socket: consuming Descriptor) {
        number = socket.number
        if case .unix(let path)? = Socket.localAddress(of: socket.number) {
            self.path = path
        } else {
            path = nil
        }
        self.socket = consume socket
        spare = Self.openSpare()
    }

    func start(_ listener: Listener) {
        guard socket != nil else { return }
        self.listener = listener
        do {
            try listener.home.core.watch(self, number, id: id, .input)
        } catch {
            stop()
        }
    }

    func stop() {
        guard let listener, socket != nil else { return }
        listener.home.core.unwatch(number, id: id)
        if let pause { listener.home.cancel(pause) }
        pause = nil
        socket = nil
        spare = nil
        self.listener = nil
        if let path { unsafe unlink(path) }
    }

    func loopEnded() { stop() }

    /// A loop's turn of accepting is bounded, epoll reports the rest again.
    func ready(_ readiness: Readiness) {
        guard let listener else { return }
        for _ in 0..<64 {
            switch Socket.accept(number) {
            case .socket(let number, let remote): listener.take(number, from: remote)
            case .none: return
            case .exhausted: return shedOne()
            }
        }
    }

    /// Without a descriptor, epoll would report the same connection without end: close it, and rest a moment.
    private func shedOne() {
        spare = nil
        if case .socket(let number, _) = Socket.accept(number) { close(number) }
        spare = Self.openSpare()
        guard let loop = listener?.home, pause == nil else { return }
        loop.core.change(number, id: id, [])
        pause = loop.schedule(after: .milliseconds(100)) { [weak self] in
            guard let self else { return }
            self.pause = nil
            loop.core.change(self.number, id: self.id, .input)
        }
    }

    private static func openSpare() -> Descriptor? {
        let number = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        return number >= 0 ? Descriptor(owning: number) : nil
    }
}
