// SPDX-License-Identifier: Apache-2.0

/// One line before it is written.
///
/// As JSON: `{"time":"…","level":"info","program":"…","message":"…","request":"…","trace":"…","span":"…",
/// "attributes":{…}}`; what is not known is left out.
struct LogRecord {
    var time: WallTime
    var level: LogLevel
    var program: StaticString
    var message: StaticString
    var request: RequestID?
    var trace: TraceParent?
    /// Those of the scope first; of two with one name the later counts.
    var attributes: [(key: StaticString, value: LogValue)] = []

    func line(_ form: LogForm) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        switch form {
        case .json: appendJSON(to: &line)
        case .pretty(let colours): appendPretty(to: &line, colours: colours)
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    private func appendJSON(to line: inout [UInt8]) {
        line += Array("{\"time\":\"".utf8)
        time.append(to: &line)
        line += Array("\",\"level\":\"\(level.name)\",\"program\":".utf8)
        EscapedText.append(program.description, to: &line)
        line += Array(",\"message\":".utf8)
        EscapedText.append(message.description, to: &line)
        for (name, text) in identifiers {
            line += Array(",\"\(name)\":\"\(text)\"".utf8)
        }
        let last = lastOfEachName
        if !last.isEmpty {
            line += Array(",\"attributes\":{".utf8)
            for (index, attribute) in last.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                EscapedText.append(attribute.key.description, to: &line)
                line.append(UInt8(ascii: ":"))
                attribute.value.append(to: &line)
            }
            line.append(UInt8(ascii: "}"))
        }
        line.append(UInt8(ascii: "}"))
    }

    private func appendPretty(to line: inout [UInt8], colours: Bool) {
        time.append(to: &line)
        let name = level.name.uppercased()
        let word = name + String(repeating: " ", count: 8 - name.utf8.count)
        let colour =
            switch level {
            case .debug: "\u{1b}[2m"
            case .info: "\u{1b}[32m"
            case .warning: "\u{1b}[33m"
            case .error: "\u{1b}[31m"
            }
        line += Array((colours ? " \(colour)\(word)\u{1b}[0m" : " \(word)").utf8)
        line += Array(message.description.utf8)
        for attribute in lastOfEachName {
            line += Array(" \(attribute.key)=".utf8)
            attribute.value.append(to: &line)
        }
        for (name, text) in identifiers { line += Array(" \(name)=\(text)".utf8) }
    }

    private var identifiers: [(StaticString, String)] {
        var found: [(StaticString, String)] = []
        if let request { found.append(("request", request.text)) }
        if let trace {
            found.append(("trace", trace.traceID))
            found.append(("span", trace.spanID))
        }
        return found
    }

    private var lastOfEachName: [(key: StaticString, value: LogValue)] {
        attributes.enumerated().filter { index, attribute in
            let name = attribute.key.description
            return !attributes[(index + 1)...].contains { $0.key.description == name }
        }.map(\.element)
    }
}

/// How lines look.
public enum LogForm: Hashable, Sendable {
    /// One JSON object a line.
    case json
    /// For people at a terminal.
    case pretty(colours: Bool)
}

extension LogValue {
    fileprivate func append(to line: inout [UInt8]) {
        switch kind {
        case .signed(let value): line += Array(String(value).utf8)
        case .unsigned(let value): line += Array(String(value).utf8)
        case .number(let value) where value.isFinite: line += Array(value.description.utf8)
        // JSON has no such numbers.
        case .number(let value): line += Array("\"\(value)\"".utf8)
        case .flag(let value): line += Array((value ? "true" : "false").utf8)
        case .fixed(let text): EscapedText.append(text.description, to: &line)
        case .text(let text): EscapedText.append(text, to: &line)
        }
    }
}
