// SPDX-License-Identifier: Apache-2.0

import Bytes
import Diagnostics
import GRPC
import Protobuf
import TestSupport
import Testing

@testable import SigningProtocol

/// Errors on their way over the wire and back.
@Suite struct FailureTests {
    @Test(arguments: ErrorCode.all) func everyCodeSurvives(_ code: ErrorCode) throws {
        let failure = Failure(code, "key release", retryAfter: .milliseconds(250))
        let message = try Failure(protobuf: failure.protobuf())
        #expect(message == failure)
        #expect(message.code == code)
        #expect(message.status.rawValue == code.category.grpc)
        let status = CallStatus(failure)
        #expect(status.status.rawValue == code.category.grpc)
        #expect(Failure(status) == failure)
    }

    struct Odd: Error {}

    static let errors: [(String, any Error, ErrorCode, String)] = [
        ("coded", CallStatus(.notFound, "no such key"), .notFound, "no such key"),
        ("a failure", Failure(.tooManyJobs, "5 jobs"), .tooManyJobs, "5 jobs"),
        ("cancelled", CancellationError(), .cancelled, "the call was cancelled"),
        ("malformed", ProtobufError(.truncated, at: 3), .malformedInput, "a message is cut off at byte 3"),
        ("unknown", Odd(), .internalError, "the server failed; its log holds the details"),
    ]

    @Test(arguments: errors) func namesErrors(
        _ name: String, _ error: any Error, _ code: ErrorCode, _ text: String
    ) {
        let failure = Failure(error)
        #expect(failure.code == code)
        #expect(failure.message == text)
    }

    @Test func aCodeOfTomorrowKeepsItsWords() throws {
        var writer = ProtobufWriter()
        writer.string(1, "quantum-away")
        writer.string(2, "the cat is out")
        writer.uint32(3, 14)
        let failure = try Failure(protobuf: writer.bytes)
        #expect(failure.code == .unavailable)
        #expect(failure.description == "quantum-away: the cat is out")
        #expect(failure.retryAfter == nil)
        #expect(failure.protobuf() == writer.bytes)
    }

    @Test(arguments: [0, 17, .max] as [UInt32]) func noFailureIsAnUnknownOne(_ status: UInt32) throws {
        var writer = ProtobufWriter()
        writer.uint32(3, status)
        let failure = try Failure(protobuf: writer.bytes)
        #expect(failure.status == .unknown)
        #expect(failure.code == .internalError)
    }

    @Test func aStatusWithoutDetailsIsAFailureToo() {
        let away = Failure(CallStatus(.unavailable, "connection lost"))
        #expect(away.code == .unavailable)
        #expect(away.retryAfter == .zero)
        let denied = Failure(CallStatus(.permissionDenied, "", details: [0xff]))
        #expect(denied.code == .permissionDenied)
        #expect(denied.message == "PERMISSION_DENIED")
        #expect(denied.retryAfter == nil)
    }

    static let pauses: [(Duration, Duration)] = [
        (.zero, .zero), (.nanoseconds(1), .milliseconds(1)), (.milliseconds(2), .milliseconds(2)),
        (.seconds(-1), .zero), (.seconds(1e12), .milliseconds(Int64(UInt32.max))),
    ]

    @Test(arguments: pauses) func pausesAreWholeMilliseconds(_ pause: Duration, _ sent: Duration) {
        #expect(Failure(.unavailable, "", retryAfter: pause).retryAfter == sent)
    }

    @Test func longMessagesAreCutBetweenCharacters() throws {
        let failure = Failure(.internalError, String(repeating: "a", count: 2046) + "ßßß")
        #expect(failure.message.utf8.count == 2048)
        #expect(failure.message.hasSuffix("aß"))
        let odd = Failure(.internalError, String(repeating: "a", count: 2047) + "ßßß")
        #expect(odd.message.utf8.count == 2047)
        #expect(try Failure(protobuf: odd.protobuf()) == odd)
    }

    @Test func pythonReadsTheDetails() throws {
        let stubs = try PythonStubs()
        let failure = Failure(.tooManyJobs, "zu viele für heute", retryAfter: .seconds(2))
        let details = CallStatus(failure).details
        let script = """
            import sys
            sys.path.insert(0, sys.argv[1])
            from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
            from signet.v1 import signing_pb2
            F = descriptor_pb2.FieldDescriptorProto
            file = descriptor_pb2.FileDescriptorProto(name='s.proto', package='google.rpc', syntax='proto3')
            file.dependency.append('google/protobuf/any.proto')
            status = file.message_type.add(name='Status')
            status.field.add(name='code', number=1, type=F.TYPE_INT32, label=1)
            status.field.add(name='message', number=2, type=F.TYPE_STRING, label=1)
            status.field.add(name='details', number=3, type=F.TYPE_MESSAGE, label=3,
                type_name='.google.protobuf.Any')
            pool = descriptor_pool.Default()
            pool.Add(file)
            Status = message_factory.GetMessageClass(pool.FindMessageTypeByName('google.rpc.Status'))
            status = Status.FromString(bytes.fromhex(sys.argv[2]))
            failure = signing_pb2.Failure()
            assert status.details[0].Unpack(failure)
            print(status.code, status.message, failure.code, failure.message, failure.status,
                failure.retry_after_ms)
            """
        let output = try Command.python(script, arguments: [stubs.path, Hex.encode(details)]).text
        #expect(output == "8 zu viele für heute too-many-jobs zu viele für heute 8 2000\n")
    }
}
