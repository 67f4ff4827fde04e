// SPDX-License-Identifier: Apache-2.0

public import Cryptography
public import Protobuf

/// A key as its user may know it.
///
/// ```
/// message KeyDescription {
///   bytes id = 1; string name = 2; uint32 version = 3; string scheme = 4; string algorithm = 5; string state = 6;
///   bytes fingerprint = 7; int64 created = 8; optional int64 expires = 9; repeated string kinds = 10;
///   bytes certificate = 11;
/// }
/// ```
public struct KeyDescription: ProtobufMessage, Hashable, Sendable {
    public var id: UniqueID
    public var name: String
    public var version: UInt32
    public var scheme: String
    public var algorithm: String
    public var state: String
    /// Of an OpenPGP key its version 4 fingerprint, else SHA-256 of the public key (SPKI).
    public var fingerprint: [UInt8]
    /// In seconds since 1970.
    public var created: Int64
    public var expires: Int64?
    /// What the caller may have signed with it.
    public var kinds: [String]
    /// The public part; empty in lists.
    public var certificate: [UInt8]

    public init(
        id: UniqueID, name: String, version: UInt32, scheme: String, algorithm: String, state: String,
        fingerprint: [UInt8], created: Int64, expires: Int64?, kinds: [String], certificate: [UInt8] = []
    ) {
        self.id = id
        self.name = name
        self.version = version
        self.scheme = scheme
        self.algorithm = algorithm
        self.state = state
        self.fingerprint = fingerprint
        self.created = created
        self.expires = expires
        self.kinds = kinds
        self.certificate = certificate
    }

    public init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        var id: UniqueID?
        (name, version, scheme, algorithm, state) = ("", 0, "", "", "")
        (fingerprint, created, expires, kinds, certificate) = ([], 0, nil, [], [])
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try reader.uniqueID(field)
            case 2: name = try reader.string(field, limit: SigningLimits.name)
            case 3: version = try reader.uint32(field)
            case 4: scheme = try reader.string(field, limit: SigningLimits.kind)
            case 5: algorithm = try reader.string(field, limit: SigningLimits.kind)
            case 6: state = try reader.string(field, limit: SigningLimits.kind)
            case 7: fingerprint = try reader.bytes(field, limit: 32)
            case 8: created = try reader.int64(field)
            case 9: expires = try reader.int64(field)
            case 10: try reader.strings(field, into: &kinds, limit: SigningLimits.kinds)
            case 11: certificate = try reader.bytes(field, limit: SigningLimits.certificate)
            default: try reader.skip(field)
            }
        }
        guard let id else { throw ProtobufError(.badValue, at: 0) }
        self.id = id
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, id.bytes)
        writer.string(2, name)
        writer.uint32(3, version)
        writer.string(4, scheme)
        writer.string(5, algorithm)
        writer.string(6, state)
        writer.bytes(7, fingerprint)
        writer.int64(8, created)
        if let expires { writer.int64(9, expires, always: true) }
        writer.strings(10, kinds)
        writer.bytes(11, certificate)
    }
}

/// `message DescribeKeyRequest { string key = 1; }`
public struct DescribeKeyRequest: ProtobufMessage, Hashable, Sendable {
    /// Name, or id in text form.
    public var key: String

    public init(key: String) { self.key = key }

    public init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        key = ""
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try reader.string(field, limit: SigningLimits.name)
            default: try reader.skip(field)
            }
        }
    }

    public func write(to writer: inout ProtobufWriter) { writer.string(1, key) }
}

/// `message ListKeysRequest { uint32 page_size = 1; string page_token = 2; }`
public struct ListKeysRequest: ProtobufMessage, Hashable, Sendable {
    /// As the caller said it; `limit` is what counts.
    public var pageSize: UInt32
    /// Empty for the first page.
    public var pageToken: String

    /// How many keys the reply may hold.
    public var limit: Int {
        pageSize == 0 ? SigningLimits.page : Int(min(pageSize, UInt32(SigningLimits.page)))
    }

    public init(pageSize: UInt32 = 0, pageToken: String = "") {
        self.pageSize = pageSize
        self.pageToken = pageToken
    }

    public init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        self.init()
        while let field = try reader.next() {
            switch field.number {
            case 1: pageSize = try reader.uint32(field)
            case 2: pageToken = try reader.string(field, limit: SigningLimits.name)
            default: try reader.skip(field)
            }
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.uint32(1, pageSize)
        writer.string(2, pageToken)
    }
}

/// `message ListKeysReply { repeated KeyDescription keys = 1; string next_page_token = 2; }`
public struct ListKeysReply: ProtobufMessage, Hashable, Sendable {
    public var keys: [KeyDescription]
    /// Empty when nothing follows.
    public var nextPageToken: String

    public init(keys: [KeyDescription], nextPageToken: String = "") {
        self.keys = keys
        self.nextPageToken = nextPageToken
    }

    public init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        self.init(keys: [])
        while let field = try reader.next() {
            switch field.number {
            case 1: try reader.messages(field, into: &keys, limit: SigningLimits.page)
            case 2: nextPageToken = try reader.string(field, limit: SigningLimits.name)
            default: try reader.skip(field)
            }
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.messages(1, keys)
        writer.string(2, nextPageToken)
    }
}
