// SPDX-License-Identifier: Apache-2.0

internal import Cryptography

let cryptographyTargets: [FuzzTarget] = [
    FuzzTarget("midstate") { input in
        guard let midstate = try? Midstate(decoding: input.span) else { return }
        guard midstate.encoded == input else { throw BrokenPromise("two encodings of one midstate") }
        var running = RunningDigest(resuming: midstate)
        guard try running.midstate() == midstate else { throw BrokenPromise("resuming changed the midstate") }
        // Finishing and going on may not trap, whatever the words are.
        let digest = running.finish()
        running.update(input.span)
        guard running.finish() != digest else { throw BrokenPromise("more input, the same digest") }
    }
]
