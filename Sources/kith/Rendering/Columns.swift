/// Lays out rows of cells. Each column is as wide as its widest cell.
enum Columns {
    /// Returns the rows as lines that are safe for a terminal, with two spaces between columns.
    static func lines(_ rows: [[String]]) -> [String] {
        let rows = rows.map { $0.map(SafeText.oneLine) }
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { column < $0.count ? DisplayWidth.of($0[column]) : 0 }.max() ?? 0
        }
        return rows.map { row in
            // The last cell needs no padding.
            let last = row.lastIndex { !$0.isEmpty } ?? 0
            return row.prefix(last + 1).enumerated().map { column, cell in
                column == last ? cell : TextLayout.pad(cell, to: widths[column])
            }.joined(separator: "  ")
        }
    }
}
