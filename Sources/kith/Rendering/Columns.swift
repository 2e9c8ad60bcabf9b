/// Rows of cells, each column as wide as its widest cell.
enum Columns {
    /// The rows as lines, two spaces between the columns, made safe for a terminal.
    static func lines(_ rows: [[String]]) -> [String] {
        let rows = rows.map { $0.map(SafeText.oneLine) }
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { column < $0.count ? DisplayWidth.of($0[column]) : 0 }.max() ?? 0
        }
        return rows.map { row in
            // Nothing follows the last cell, so nothing has to be aligned behind it.
            let last = row.lastIndex { !$0.isEmpty } ?? 0
            return row.prefix(last + 1).enumerated().map { column, cell in
                column == last ? cell : TextLayout.pad(cell, to: widths[column])
            }.joined(separator: "  ")
        }
    }
}
