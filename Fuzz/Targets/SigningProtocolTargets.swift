// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
internal import Protobuf
internal import SigningProtocol

/// What is read is written and read as the same again, within the limits.
let signingProtocolTargets: [FuzzTarget] = [
    target("sign-request", SignRequest.self) { request in
        guard request.key.utf8.count <= SigningLimits.name, request.kind.utf8.count <= SigningLimits.kind
        else { throw BrokenPromise("over a limit") }
    },
    target("sign-reply", SignReply.self) { reply in
        if case .failure(let failure) = reply.outcome, failure.status == .ok {
            throw BrokenPromise("a failure that is none")
        }
    },
    target("key-list", ListKeysReply.self) { list in
        guard list.keys.count <= SigningLimits.page else { throw BrokenPromise("over a limit") }
    },
]

private func target<Message: ProtobufMessage & Equatable & SendableMetatype>(
    _ name: String, _: Message.Type, _ check: @escaping @Sendable (Message) throws -> Void
) -> FuzzTarget {
    FuzzTarget(name) { input in
        guard let message = try? Message(protobuf: input) else { return }
        try check(message)
        let again = message.protobuf()
        guard let read = try? Message(protobuf: again), read == message, read.protobuf() == again else {
            throw BrokenPromise("another message after \(Hex.encode(again))")
        }
    }
}
