// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import HTTP
import Secrets
import Testing

@Suite struct SecretTextsTests {
    private static func read(_ text: String) throws -> (open: String, secrets: [String: String]) {
        let bytes = Array(text.utf8)
        let texts = try SecretTexts(in: bytes.span, named: ["key", "word"])
        var secrets: [String: String] = [:]
        for (name, secret) in texts.secrets {
            secrets[name] = plain(secret.bytes)
        }
        return (String(decoding: texts.open, as: UTF8.self), secrets)
    }

    private static func plain(_ secret: borrowing SecretBytes) -> String {
        var bytes: [UInt8] = []
        for index in 0..<secret.count { bytes.append(secret.bytes[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"b"}"#, [:]),
            (#"{"key":"x","a":1}"#, #"{"key":"","a":1}"#, ["key": "x"]),
            (
                #"{"a":{"word" : "x y"},"key":""}"#, #"{"a":{"word" : ""},"key":""}"#,
                ["word": "x y", "key": ""]
            ),
            (#"{"key":"\"\\\/\n\r\t\u00e9\ud83d\ude00"}"#, #"{"key":""}"#, ["key": "\"\\/\n\r\té😀"]),
            // A value is no name, and a text within a text is none.
            (#"{"a":"key","b":["key",":","word"]}"#, #"{"a":"key","b":["key",":","word"]}"#, [:]),
            (#"{"a":"\"key\":\"x\"","key":"y"}"#, #"{"a":"\"key\":\"x\"","key":""}"#, ["key": "y"]),
            // What is no text is left to be refused for its form.
            (#"{"key":["x"],"word":null}"#, #"{"key":["x"],"word":null}"#, [:]),
        ] as [(String, String, [String: String])])
    func takesSecretsOut(_ text: String, _ open: String, _ secrets: [String: String]) throws {
        let read = try Self.read(text)
        #expect(read.open == open)
        #expect(read.secrets == secrets)
    }

    @Test(arguments: [
        #"{"key":"a","x":{"key":"b"}}"#, #"{"k\u0065y":"x"}"#, #"{"key":"x"#, #"{"key":"\q"}"#,
        #"{"key":"\ud800x"}"#,
        #"{"key":"\u0000"}"#, "{\"key\":\"a\nb\"}", #"{"key":"\u12"}"#, #"{"key":"\"#,
    ])
    func refusesWhatIsAmbiguous(_ text: String) {
        let error = #expect(throws: HTTPError.self) { try Self.read(text) }
        #expect(error?.code == .malformedInput)
    }
}
