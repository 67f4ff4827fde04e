// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Secrets
import TestSupport
import Testing

@Suite struct SecretBytesTests {
    @Test func holdsWhatItWasFilledWith() throws {
        let secret = try SecretBytes(capacity: 3) { output in
            output.append(1)
            output.append(2)
        }
        let bytes = Array(secret.bytes)
        #expect(secret.count == 2)
        #expect(bytes == [1, 2])
    }

    @Test(arguments: [0, 1, 4095, 4096, 4097, 1 << 20])
    func holdsAnySize(_ size: Int) throws {
        let secret = try SecretBytes(capacity: size) { output in
            for index in 0..<size { output.append(UInt8(truncatingIfNeeded: index &* 7)) }
        }
        #expect(secret.count == size)
        let isIntact = secret.bytes.indices.allSatisfy {
            secret.bytes[$0] == UInt8(truncatingIfNeeded: $0 &* 7)
        }
        #expect(isIntact)
    }

    @Test func whatWasTakenBackIsNotThere() throws {
        let secret = try SecretBytes(capacity: 4) { output in
            output.append(1)
            output.append(2)
            _ = output.removeLast()
        }
        #expect(secret.count == 1)
    }

    @Test(arguments: [
        (-1, ErrorCode.tooLarge), (Int.min, .tooLarge), (1 << 24 + 1, .tooLarge), (.max, .tooLarge),
    ])
    func refusesSizes(_ size: Int, _ code: ErrorCode) {
        let error = #expect(throws: SecretsError.self) { _ = try SecretBytes(capacity: size) { _ in } }
        #expect(error?.code == code)
    }

    @Test func passesOnWhatFillingThrows() {
        struct Refusal: Error {}
        #expect(throws: Refusal.self) {
            _ = try SecretBytes(capacity: 8) { output throws(Refusal) in
                output.append(1)
                throw Refusal()
            }
        }
    }

    @Test func anotherSpanInItsPlaceStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            _ = try SecretBytes(capacity: 8) { output in output = OutputSpan() }
        }
    }

    @Test func writingBeyondItStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let secret = try SecretBytes(capacity: 4096) { $0.append(1) }
            unsafe secret.bytes.withUnsafeBufferPointer { bytes in
                let start = unsafe bytes.baseAddress.map { unsafe UnsafeMutablePointer(mutating: $0) }
                unsafe start?[4096] = 1
            }
        }
    }

    @Test func randomOnesDiffer() throws {
        for size in [0, 1, 32, 255, 256, 257, 10_000] {
            let one = try SecretBytes(randomCount: size)
            let other = try SecretBytes(randomCount: size)
            #expect(one.count == size)
            let areEqual = one.isEqualInConstantTime(to: other)
            #expect(areEqual == (size == 0) || size == 1)
        }
        let large = try SecretBytes(randomCount: 10_000)
        var seen = Set<UInt8>()
        for index in large.bytes.indices { seen.insert(large.bytes[index]) }
        #expect(seen.count == 256)
    }

    @Test(
        arguments: [
            ([], [], true), ([1], [1], true), ([1], [2], false), ([1], [], false),
            ([1, 2, 3], [1, 2], false),
            ([1, 2, 3], [1, 2, 3], true), ([0, 0, 1], [0, 0, 0], false),
        ] as [([UInt8], [UInt8], Bool)])
    func compares(_ one: [UInt8], _ other: [UInt8], _ areEqual: Bool) throws {
        #expect(ConstantTime.areEqual(one.span, other.span) == areEqual)
        let first = try SecretBytes(copying: one.span)
        let second = try SecretBytes(copying: other.span)
        let result = first.isEqualInConstantTime(to: second)
        #expect(result == areEqual)
        let withBytes = first.isEqualInConstantTime(to: other.span)
        #expect(withBytes == areEqual)
    }
}

/// What must not compile: the compiler is asked.
@Suite struct SecretTextTests {
    @Test(arguments: [
        ("is written by a span", "use(secret.bytes)", true),
        ("has no text form", "print(secret)", false),
        ("does not go into a string", "print(\"\\(secret)\")", false),
        ("has no copy", "let a = secret; let b = secret; use(a.bytes); use(b.bytes)", false),
        ("has no ==", "print(secret == secret)", false),
        ("does not go into a log", "log.info(\"m\", [\"v\": secret])", false),
        (
            "does not go into a log as text", "log.info(\"m\", [\"v\": .public(secret, because: \"no\")])",
            false
        ),
        ("its bytes are redacted", "log.info(\"m\", [\"v\": .redacted(secret.bytes)])", true),
        ("its bytes do not outlive it", "kept = secret.bytes", false),
    ])
    func compiles(_ what: String, _ statement: String, _ compiles: Bool) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "use.swift",
            """
            import Diagnostics
            import Secrets
            func use(_ span: Span<UInt8>) {}
            func test(_ secret: consuming SecretBytes, _ log: Log, _ kept: inout Span<UInt8>) {
            \(statement)
            }

            """)
        // The whole way to machine code: lifetimes and ownership are judged late.
        let output = try Command.run(
            [
                "swiftc", "-c", "-o", "/dev/null", "-swift-version", "6", "-enable-experimental-feature",
                "Lifetimes",
                "-I", Products.folder + "/Modules", file,
            ]
                + ["CLinux", "COpenSSL"].flatMap {
                    ["-Xcc", "-fmodule-map-file=" + Repository.path("Sources/\($0)/module.modulemap")]
                })
        #expect((output.status == 0) == compiles, "\(what): \(output.errorText)")
        #expect(compiles || output.errorText.contains("use.swift:"), "\(output.errorText)")
        #expect(!output.errorText.contains("module"), "\(output.errorText)")
    }
}

extension Array where Element == UInt8 {
    fileprivate init(_ span: Span<UInt8>) {
        self = span.indices.map { span[$0] }
    }
}
