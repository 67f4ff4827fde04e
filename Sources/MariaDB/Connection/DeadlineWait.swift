// SPDX-License-Identifier: Apache-2.0

internal import CMariaDB
internal import Glibc

/// libmariadb's waits for the server, each ended by the deadline of the call under way.
///
/// The library has time limits for single reads and writes only, in whole seconds. It asks a function of ours to wait
/// for the socket instead; that function gets no context, so the deadline lies in a thread-local variable.
///
/// Under TLS the library reads from a blocking socket without asking, so the socket gets a short time limit of its own
/// while the session is made and is made non-blocking afterwards: then the library asks.
enum DeadlineWait {
    /// Makes every wait of this connection end at the deadline of `until`.
    static func install(on mysql: UnsafeMutablePointer<MYSQL>) {
        unsafe _ = shim_mysql_optionsv_io_wait(mysql) { socket, isRead, _ in
            DeadlineWait.wait(socket, forReading: isRead != 0)
        }
    }

    /// Runs a call into the library that may take until `deadline`.
    static func until<Result>(_ deadline: ContinuousClock.Instant, _ call: () -> Result) -> Result {
        var limit = deadline
        return unsafe withUnsafeMutablePointer(to: &limit) { limit in
            let outer = unsafe pthread_getspecific(key)
            unsafe pthread_setspecific(key, limit)
            defer { unsafe pthread_setspecific(key, outer) }
            return call()
        }
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        unsafe pthread_key_create(&key, nil)
        return key
    }()

    /// What goes out beside a call, such as the farewell of `mysql_close`, never waits long.
    private static let unaskedLimit = Duration.milliseconds(100)

    /// The session is there: from now on no read or write blocks.
    static func connected(_ mysql: UnsafeMutablePointer<MYSQL>) {
        let socket = Int32(unsafe mysql_get_socket(mysql))
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
    }

    private static func limitSingleCalls(on socket: Int32) {
        guard fcntl(socket, F_GETFL) & O_NONBLOCK == 0 else { return }
        var limit = timeval(tv_sec: 0, tv_usec: 20_000)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(socket, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// 1 when the socket is ready, 0 after the deadline, -1 for an error.
    private static func wait(_ socket: my_socket, forReading: Bool) -> Int32 {
        let limit = unsafe pthread_getspecific(key).map {
            unsafe $0.load(as: ContinuousClock.Instant.self)
        }
        let deadline = limit ?? ContinuousClock.now + unaskedLimit
        limitSingleCalls(on: Int32(socket))
        var request = pollfd(fd: Int32(socket), events: Int16(forReading ? POLLIN : POLLOUT), revents: 0)
        while true {
            let left = (deadline - ContinuousClock.now) / .milliseconds(1)
            guard left > 0 else {
                errno = ETIMEDOUT
                return 0
            }
            let ready = unsafe poll(&request, 1, Int32(min(left, 60_000).rounded(.up)))
            if ready > 0 || (ready < 0 && errno != EINTR) { return ready }
        }
    }
}
