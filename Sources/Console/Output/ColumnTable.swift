// SPDX-License-Identifier: Apache-2.0

/// Rows in columns of equal width, two blanks apart; the last column is as long as it likes.
struct ColumnTable {
    var headings: [String]
    private var rows: [[String]] = []

    init(_ headings: [String]) { self.headings = headings }

    mutating func add(_ row: [String]) { rows.append(row.map(ShownText.line)) }

    var isEmpty: Bool { rows.isEmpty }

    var text: String {
        let all = [headings] + rows
        let widths = headings.indices.map { column in
            all.map { column < $0.count ? ShownText.width($0[column]) : 0 }.max() ?? 0
        }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() where column < widths.count {
                line += cell
                if column + 1 < row.count {
                    line += String(repeating: " ", count: widths[column] - ShownText.width(cell) + 2)
                }
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
