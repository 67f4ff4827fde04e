// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// What must not compile: the compiler is asked.
@Suite struct RedactionTests {
    private static let prologue = """
        import Diagnostics
        func use(_ log: Log, _ text: String, _ bytes: [UInt8], _ count: Int, _ span: Span<UInt8>) {

        """

    private func compile(_ statement: String) throws -> Command.Output {
        let folder = try TemporaryFolder()
        let file = try folder.write("use.swift", Self.prologue + statement + "\n}\n")
        return try Command.run([
            "swiftc", "-typecheck", "-swift-version", "6", "-I", Products.folder + "/Modules", file,
        ])
    }

    @Test(arguments: [
        #"log.info("m", ["count": .integer(count), "kind": "rsa", "body": .redacted(bytes)])"#,
        #"log.info("m", ["body": .redacted(span), "name": .public(text, because: "a test")])"#,
    ])
    func compiles(_ statement: String) throws {
        let output = try compile(statement)
        #expect(output.status == 0, "\(output.errorText)")
    }

    @Test(arguments: [
        ("a message from text", #"log.info(text)"#),
        ("a message with text in it", #"log.info("key \(text)")"#),
        ("a message with bytes in it", #"log.info("key \(bytes)")"#),
        ("text as a value", #"log.info("m", ["v": text])"#),
        ("text in a value", #"log.info("m", ["v": "\(text)"])"#),
        ("bytes as a value", #"log.info("m", ["v": bytes])"#),
        ("bytes as public text", #"log.info("m", ["v": .public(bytes, because: "no")])"#),
        ("text without a reason", #"log.info("m", ["v": .public(text)])"#),
        ("a reason that is made up", #"log.info("m", ["v": .public(text, because: text)])"#),
        ("a name from text", #"log.info("m", [text: 1])"#),
        ("a value from any text", #"let v = LogValue(text)"#),
        ("a metric's name from text", #"_ = Metrics().counter(text, help: "x")"#),
    ])
    func doesNotCompile(_ what: String, _ statement: String) throws {
        let output = try compile(statement)
        #expect(output.status != 0, "\(what)")
        // For the reason that is meant, not because something is missing.
        #expect(output.errorText.contains("use.swift:3:"), "\(output.errorText)")
        #expect(!output.errorText.contains("no such module"), "\(output.errorText)")
    }
}
