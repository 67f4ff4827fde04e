// SPDX-License-Identifier: Apache-2.0

internal import HTTP2

/// A method and the path by which it is called.
final class Route: Sendable {
    let path: String
    let method: Method
    fileprivate let bytes: [UInt8]

    init(_ path: String, _ method: Method) {
        self.path = path
        self.method = method
        bytes = Array(path.utf8)
    }

    fileprivate func matches(_ path: Span<UInt8>) -> Bool {
        guard path.count == bytes.count else { return false }
        for index in bytes.indices where bytes[index] != path[index] { return false }
        return true
    }
}

/// The methods of a server, found by the bytes of a path: no text is made of what a peer sends.
struct Routes: Sendable {
    /// By the length of the path.
    private var lists: [[Route]] = []

    init(_ services: [Service]) {
        for service in services {
            for method in service.methods { add(Route("/\(service.name)/\(method.name)", method)) }
        }
    }

    /// A later method takes the place of an earlier one of the same name.
    private mutating func add(_ route: Route) {
        while lists.count <= route.bytes.count { lists.append([]) }
        lists[route.bytes.count].insert(route, at: 0)
    }

    func find(_ path: Span<UInt8>) -> Route? {
        guard path.count < lists.count else { return nil }
        for route in lists[path.count] where route.matches(path) { return route }
        return nil
    }
}

/// What the head of a call says that a server goes by, read in one pass. Of fields that come twice the first counts.
struct CallHead {
    private(set) var isPost = false
    private(set) var route: Route?
    private(set) var timeout: String?
    private(set) var encoding: String?
    private var type = ContentType.none

    private enum ContentType {
        case none
        case grpc
        case other
    }

    var isGRPC: Bool { type == .grpc }

    init(_ fields: HeaderFields, in routes: Routes) {
        fields.forEach { name, value in take(name, value, routes) }
    }

    private mutating func take(_ name: Span<UInt8>, _ value: Span<UInt8>, _ routes: Routes) {
        switch name.count {
        case 5 where name.holds(":path"): route = routes.find(value)
        case 7 where name.holds(":method"): isPost = value.holds("POST")
        case 12 where type == .none && name.holds("content-type"):
            type = Self.isGRPC(value) ? .grpc : .other
        case 12 where timeout == nil && name.holds("grpc-timeout"): timeout = Self.text(value)
        case 13 where encoding == nil && name.holds("grpc-encoding"): encoding = Self.text(value)
        default: break
        }
    }

    private static func isGRPC(_ type: Span<UInt8>) -> Bool {
        let name: StaticString = "application/grpc"
        let length = name.utf8CodeUnitCount
        guard type.count > length else { return type.holds(name) }
        let next = type[length]
        return type.extracting(0..<length).holds(name)
            && (next == UInt8(ascii: "+") || next == UInt8(ascii: ";"))
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
