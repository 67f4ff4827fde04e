// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Protobuf
import SigningProtocol
import TestSupport
import Testing

/// The bytes of the messages: by hand, and beside those of Python's protobuf from the same `.proto`.
@Suite struct WireTests {
    static let job = "0a10 000102030405060708090a0b0c0d0e0f"

    /// Name, bytes, and the message in them.
    static let requests: [(String, String, SignRequest)] = [
        ("bare", job, sample()),
        ("job", job + "1201 61 1a03 72706d 2203 010203", sample("a", "rpm", .content([1, 2, 3]))),
        ("empty content", job + "2200", sample(.content([]))),
        ("midstate", job + "2a02 0101", sample(.midstate([1, 1]))),
        ("the last claim counts", job + "2a02 0101 2201 07", sample(.content([7]))),
        ("more", job + "2201 07 3001", sample(.content([7]), more: true)),
        ("digest, timeout", job + "3a06 736861323536 40e807", sample(nil, digest: "sha256", timeout: 1000)),
        ("unknown fields", job + "8201 02 ffff 880105", sample()),
    ]

    private static func sample(
        _ key: String = "", _ kind: String = "", _ claim: SignRequest.Claim? = nil
    ) -> SignRequest {
        SignRequest(job: known, key: key, kind: kind, claim)
    }

    private static func sample(
        _ claim: SignRequest.Claim?, more: Bool = false, digest: String = "", timeout: UInt32 = 0
    ) -> SignRequest {
        SignRequest(job: known, key: "", kind: "", claim, more: more, digest: digest, timeout: timeout)
    }

    /// The id in `job`.
    private static let known: UniqueID = {
        guard let id = UniqueID("00010203-0405-0607-0809-0a0b0c0d0e0f") else { preconditionFailure("no id") }
        return id
    }()

    @Test(arguments: requests) func readsRequests(_ name: String, _ bytes: String, _ expected: SignRequest)
        throws
    {
        let request = try SignRequest(protobuf: Hex.decode(bytes.filter { $0 != " " }))
        #expect(request == expected)
        let again = try SignRequest(protobuf: request.protobuf())
        #expect(again == request)
        if !name.contains("unknown"), !name.contains("last") {
            #expect(Hex.encode(request.protobuf()) == bytes.filter { $0 != " " })
        }
    }

    static let refused: [(String, String)] = [
        ("nothing", ""), ("no job", "1201 61"), ("short job", "0a0f 000102030405060708090a0b0c0d0e"),
        ("long job", "0a11 000102030405060708090a0b0c0d0e0f10"), ("job as a number", "0801"),
        ("key over its limit", job + "128102" + String(repeating: "61", count: 257)),
        ("kind over its limit", job + "1a21" + String(repeating: "61", count: 33)),
        ("digest over its limit", job + "3a11" + String(repeating: "61", count: 17)),
        ("midstate over its limit", job + "2a8102" + String(repeating: "00", count: 257)),
        ("content over its limit", job + "22818040"), ("key that is no text", job + "1201 ff"),
        ("cut", job + "22"), ("cut content", job + "2205 00"),
    ]

    @Test(arguments: refused) func refusesRequests(_ name: String, _ bytes: String) throws {
        let bytes = try Hex.decode(bytes.filter { $0 != " " })
        #expect(throws: ProtobufError.self) { try SignRequest(protobuf: bytes) }
    }

    static let refusedReplies: [(String, String)] = [
        ("no outcome", job), ("no job", "1a00"),
        ("two signatures", job + "12121210" + zeros + "12121210" + zeros),
        ("signature without its key", job + "1200"),
        ("long fingerprint", job + "1235 1210" + zeros + "2221" + zeros + zeros + "00"),
    ]
    static let zeros = String(repeating: "00", count: 16)

    @Test(arguments: refusedReplies) func refusesReplies(_ name: String, _ bytes: String) throws {
        let bytes = try Hex.decode(bytes.filter { $0 != " " })
        #expect(throws: ProtobufError.self) { try SignReply(protobuf: bytes) }
    }

    @Test func partsSayNothingElse() throws {
        let part = SignRequest(part: [1], of: Self.known, more: true)
        #expect(part.isPart)
        #expect(!SignRequest(job: Self.known, key: "k", kind: "", .content([1])).isPart)
        #expect(!SignRequest(job: Self.known, key: "", kind: "", .midstate([1])).isPart)
        #expect(!SignRequest(job: Self.known, key: "", kind: "", nil).isPart)
        #expect(!SignRequest(job: Self.known, key: "", kind: "", .content([1]), timeout: 1).isPart)
    }

    @Test(arguments: [(0, 100), (1, 1), (100, 100), (101, 100), (.max, 100)] as [(UInt32, Int)])
    func pagesAreBounded(_ asked: UInt32, _ given: Int) {
        #expect(ListKeysRequest(pageSize: asked).limit == given)
    }

    // MARK: Python

    @Test func pythonWritesAndReadsTheSame() throws {
        let stubs = try PythonStubs()
        var samples = Samples(random: Trials.generator("signing.python"))
        var lines: [(type: String, bytes: [UInt8], isWhole: Bool)] = []
        for _ in 0..<Trials.count(400, full: 40_000) {
            let messages: [(String, [UInt8])] = [
                ("SignRequest", try samples.request().protobuf()),
                ("SignReply", try samples.reply().protobuf()),
                ("KeyDescription", try samples.description().protobuf()),
                ("ListKeysReply", try samples.keys().protobuf()),
                ("DescribeKeyRequest", DescribeKeyRequest(key: samples.word()).protobuf()),
                ("ListKeysRequest", ListKeysRequest(pageSize: 7, pageToken: samples.word()).protobuf()),
            ]
            for (type, bytes) in messages {
                lines.append((type, bytes, true))
                lines.append((type, Self.spoil(bytes, &samples), false))
            }
        }
        let input = lines.map { "\($0.type) \(Hex.encode($0.bytes))\n" }.joined()
        let answers = try Command.python(Self.oracle, arguments: [stubs.path], input: Array(input.utf8)).text
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        try #require(answers.count == lines.count)
        var accepted = 0
        for (line, answer) in zip(lines, answers) {
            // What is read here is read there, and as the same.
            guard let own = Self.again(line.type, line.bytes) else {
                #expect(!line.isWhole, "\(line.type) \(Hex.encode(line.bytes))")
                continue
            }
            accepted += line.isWhole ? 0 : 1
            #expect(Hex.encode(own) == answer, "\(line.type) \(Hex.encode(line.bytes))")
        }
        #expect(accepted > lines.count / 10)
    }

    static func again(_ type: String, _ bytes: [UInt8]) -> [UInt8]? {
        switch type {
        case "SignRequest": try? SignRequest(protobuf: bytes).protobuf()
        case "SignReply": try? SignReply(protobuf: bytes).protobuf()
        case "KeyDescription": try? KeyDescription(protobuf: bytes).protobuf()
        case "ListKeysReply": try? ListKeysReply(protobuf: bytes).protobuf()
        case "DescribeKeyRequest": try? DescribeKeyRequest(protobuf: bytes).protobuf()
        default: try? ListKeysRequest(protobuf: bytes).protobuf()
        }
    }

    static func spoil(_ bytes: [UInt8], _ samples: inout Samples) -> [UInt8] {
        var spoiled = bytes
        let place = Int.random(in: 0...bytes.count, using: &samples.random)
        let byte = UInt8.random(in: .min ... .max, using: &samples.random)
        switch Int.random(in: 0..<6, using: &samples.random) {
        case 0: spoiled.insert(byte, at: place)
        case 1 where place < bytes.count: spoiled.remove(at: place)
        case 2 where place < bytes.count: spoiled[place] ^= 1 << (byte & 7)
        case 3: spoiled = Array(bytes[..<place])
        case 4: spoiled += [0xf8, 0x07, byte | 0x80, 0x80, 0x00]
        default: spoiled += bytes
        }
        return spoiled
    }

    /// Prints each message as Python writes it, without fields that the `.proto` does not know; `-` for what it refuses.
    static let oracle = """
        import sys
        sys.path.insert(0, sys.argv[1])
        from google.protobuf.message import DecodeError
        from signet.v1 import signing_pb2
        for line in sys.stdin:
            name, text = line.rstrip("\\n").split(" ")
            message = getattr(signing_pb2, name)()
            try: message.ParseFromString(bytes.fromhex(text))
            except DecodeError:
                print("-")
                continue
            message.DiscardUnknownFields()
            if name == "SignReply" and message.HasField("failure") and not 1 <= message.failure.status <= 16:
                # A failure that is none, or of no known sort.
                message.failure.status = 2
            print(message.SerializeToString(deterministic=True).hex())
        """
}
