// SPDX-License-Identifier: Apache-2.0

internal import ControlService

let controlTargets: [FuzzTarget] = [
    FuzzTarget("rest-document") { input in try APIDocuments.tryAll(input) },
    FuzzTarget("timestamp") { input in
        guard let text = APIDocuments.timestamp(String(decoding: input, as: UTF8.self)) else { return }
        guard APIDocuments.timestamp(text) == text else {
            throw BrokenPromise("a timestamp that is not read as it is written: \(text)")
        }
    },
]
