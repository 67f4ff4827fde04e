// SPDX-License-Identifier: Apache-2.0

internal import FuzzTargets
internal import Glibc

nonisolated(unsafe) private var target: FuzzTarget?

/// libFuzzer's entry point; `SIGNET_FUZZ_TARGET` names the parser.
@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    if unsafe target == nil {
        let name = unsafe getenv("SIGNET_FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
        guard let named = FuzzTarget.named(name) else {
            fatalError("SIGNET_FUZZ_TARGET=\(name) names no target")
        }
        unsafe target = named
    }
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do { try unsafe target?.run(input) } catch { fatalError("\(error)") }
    return 0
}
