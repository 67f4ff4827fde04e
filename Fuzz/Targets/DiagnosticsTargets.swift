// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

let diagnosticsTargets: [FuzzTarget] = [
    FuzzTarget("traceparent") { input in
        guard let parent = TraceParent(input.span) else { return }
        guard TraceParent(parent.description) == parent else {
            throw BrokenPromise("\(parent) is not read as itself")
        }
        // What was read is what stands there, but for the version and unknown flags.
        guard Array(parent.description.utf8)[2..<53] == input[2..<53] else {
            throw BrokenPromise("\(parent) is not what was sent")
        }
    }
]
