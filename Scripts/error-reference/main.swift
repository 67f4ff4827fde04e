// SPDX-License-Identifier: Apache-2.0

// Prints docs/reference/errors.md, which is made from the vocabulary and never edited.

internal import Diagnostics

func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

/// A cell of a Markdown table: a bar would end it, an angle bracket would be markup.
func cell(_ text: String) -> String {
    text.map { character in
        switch character {
        case "|": "\\|"
        case "<": "&lt;"
        default: String(character)
        }
    }.joined()
}

func page() -> String {
    var lines = [
        "# Errors", "",
        "<!-- Made by `make docs` from Sources/Diagnostics/Vocabulary. Do not edit. -->", "",
        "The same fault has the same id everywhere: in problem documents (REST), in the status of a call (gRPC), on",
        "the command line and in the log. Programs should go by the id; texts may change.", "",
        "## By category", "",
        "The exit code is that of a command which failed for this cause alone.", "",
        row(["category", "HTTP", "gRPC", "exit"]), row(["---", "---", "---", "---"]),
    ]
    for category in ErrorCode.Category.allCases {
        lines.append(
            row(["`\(category.rawValue)`", "\(category.http)", "\(category.grpc)", "\(category.exit)"]))
    }
    lines += ["", "## By id", ""]
    lines += [row(["id", "category", "cause", "remedy"]), row(["---", "---", "---", "---"])]
    for code in ErrorCode.all.sorted(by: { $0.id < $1.id }) {
        lines.append(
            row(["`\(code.id)`", "`\(code.category.rawValue)`", cell(code.cause), cell(code.remedy)]))
    }
    return lines.joined(separator: "\n")
}

print(page())
