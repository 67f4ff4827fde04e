// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// A setting given on the command line.
public struct SettingsOverride: Sendable {
    /// From the outermost section to the name.
    public let path: [String]
    let text: String
    /// The option, without the value.
    let option: String

    public init(path: [String], text: String, option: String) {
        self.path = path
        self.text = text
        self.option = option
    }

    /// `section.key=value`, as `--set` takes it. The left side is a TOML key, so that names with dots can be quoted;
    /// the right side is the text of the value, without quotes.
    public init(assignment: String, option: String = "--set") throws(SettingsError) {
        var parser = TOMLParser(Array(assignment.utf8), depthLimit: TOMLDocument.Limits().depth)
        let keys: [TOMLKey]
        do throws(TOMLError) {
            parser.skipBlanks()
            keys = try parser.parseKey()
            guard parser.peek() == "=" else {
                throw parser.fail(
                    at: parser.offset, "there is no value", remedy: "write section.key=value")
            }
        } catch {
            throw SettingsError(
                .settingInvalid, .argument(option),
                "column \(error.position.column): \(error.problem); \(error.remedy)")
        }
        path = keys.map(\.text)
        text = String(decoding: parser.source[(parser.offset + 1)...], as: UTF8.self)
        self.option = "\(option) \(shownPath(path))"
    }
}

/// A path of names as TOML writes it.
func shownPath(_ path: [String]) -> String {
    path.map { name in
        let isBare =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch UInt8(ascii: "A") <= byte && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
        return isBare ? name : shownString(name)
    }.joined(separator: ".")
}

/// A text as a TOML basic string on one line.
func shownString(_ text: String) -> String {
    var shown = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": shown += "\\" + String(scalar)
        case "\n": shown += "\\n"
        case "\t": shown += "\\t"
        case "\r": shown += "\\r"
        default:
            guard scalar.properties.generalCategory == .control else {
                shown += String(scalar)
                continue
            }
            let digits = String(scalar.value, radix: 16)
            shown += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
    return shown + "\""
}
