// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// What a descriptor is ready for, or watched for.
struct Readiness: OptionSet {
    let rawValue: UInt32
    static let input = Readiness(rawValue: UInt32(shim_EPOLLIN))
    static let output = Readiness(rawValue: UInt32(shim_EPOLLOUT))
    /// Reported always: an error, or both directions shut.
    static let broken = Readiness(rawValue: UInt32(shim_EPOLLERR | shim_EPOLLHUP))
}

/// An epoll set, level-triggered.
@safe final class Poll {
    private let set: Descriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>

    init() throws(TransportError) {
        set = try Descriptor(epoll_create1(Int32(shim_EPOLL_CLOEXEC)), from: "epoll_create1")
        unsafe events = .allocate(capacity: 128)
        unsafe events.initialize(repeating: epoll_event())
    }

    deinit { unsafe events.deallocate() }

    func add(_ descriptor: Int32, _ id: UInt64, _ interest: Readiness) throws(TransportError) {
        guard control(EPOLL_CTL_ADD, descriptor, id, interest) == 0 else { throw .system("epoll_ctl", errno) }
    }

    func change(_ descriptor: Int32, _ id: UInt64, _ interest: Readiness) {
        _ = control(EPOLL_CTL_MOD, descriptor, id, interest)
    }

    func remove(_ descriptor: Int32) {
        _ = control(EPOLL_CTL_DEL, descriptor, 0, [])
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ id: UInt64, _ interest: Readiness)
        -> Int32
    {
        var event = unsafe epoll_event(events: interest.rawValue, data: epoll_data_t(u64: id))
        return unsafe epoll_ctl(set.number, operation, descriptor, &event)
    }

    func wait(milliseconds: Int32, woken: () -> Void, _ body: (UInt64, Readiness) -> Void) {
        let count = unsafe epoll_wait(set.number, events.baseAddress, Int32(events.count), milliseconds)
        woken()
        for index in 0..<Int(max(0, count)) {
            let event = unsafe events[index]
            unsafe body(event.data.u64, Readiness(rawValue: event.events))
        }
    }
}
