// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A POSIX thread that runs a closure.
package struct Thread: Sendable {
    private let thread: pthread_t

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a thread, which must be joined.
    package init(named name: String, _ run: @escaping @Sendable () -> Void) throws(TransportError) {
        let argument = unsafe Unmanaged.passRetained(Body(name, run)).toOpaque()
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                unsafe pthread_setname_np(pthread_self(), body.name)
                body.run()
                return nil
            }, argument)
        guard result == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(argument).release()
            throw .system("pthread_create", result)
        }
        self.thread = thread
    }

    /// Starts a thread that ends by itself.
    package static func detach(named name: String, _ run: @escaping @Sendable () -> Void)
        throws(TransportError)
    {
        let thread = try Thread(named: name, run)
        pthread_detach(thread.thread)
    }

    package func join() { _ = pthread_join(thread, nil) }
}
