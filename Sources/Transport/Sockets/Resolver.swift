// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc

/// From a host's name to its addresses. Nothing is kept: whoever connects again asks again.
public protocol Resolver: Sendable {
    func addresses(of host: String, port: UInt16) async throws -> [Address]
}

/// The system's resolver, `getaddrinfo`, which blocks and so gets a thread for each question.
public struct SystemResolver: Resolver {
    public init() {}

    public func addresses(of host: String, port: UInt16) async throws -> [Address] {
        if let address = Address(host, port: port) { return [address] }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                try Thread.detach(named: "resolver") { continuation.resume(with: Self.ask(host, port)) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private static func ask(_ host: String, _ port: UInt16) -> Result<[Address], any Error> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = Int32(AI_ADDRCONFIG)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard result == 0 else {
            let text = unsafe String(cString: gai_strerror(result))
            return .failure(TransportError(.nameNotResolved, "\(host): \(text)"))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [Address] = []
        var entry = unsafe list
        while let one = unsafe entry {
            if let form = unsafe one.pointee.ai_addr,
                let address = unsafe Address(UnsafeRawPointer(form), length: Int(one.pointee.ai_addrlen)),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
            unsafe entry = one.pointee.ai_next
        }
        return .success(addresses)
    }
}
