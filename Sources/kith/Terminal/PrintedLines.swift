import DequeModule

/// The lines above the input line that are still in the window, so that the marks at their ends can change.
///
/// The terminal cannot be asked where a line is, so this type counts rows. If the number of rows that a line takes is uncertain,
/// all lines up to this one are forgotten. Everything is forgotten when the window changes, because the terminal may then break
/// lines in other places. The type performs no input or output.
struct PrintedLines {
    /// A row that replaces the last row of a printed line.
    struct Change: Equatable {
        /// Number of rows from this row down to the first row of the status and the input line, at least 1.
        let above: Int
        let row: String
    }

    private struct Printed {
        /// The line; `nil` if its mark never changes.
        var line: ScreenLine?
        let rows: Int
    }

    /// The width of the window.
    let columns: Int
    /// The number of rows above the input line that are certainly in the window. The status, which comes and goes, and the input
    /// line take one row each.
    private let room: Int
    private var printed: Deque<Printed> = []
    private var rows = 0

    /// - Parameter windowRows: the height of the window; `nil` if it is unknown. Without a known height, no line can change.
    init(columns: Int, windowRows: Int?) {
        self.columns = columns
        room = max(0, (windowRows ?? 0) - 2)
    }

    /// Whether the window still has the size for which the lines were printed.
    func fits(columns: Int, windowRows: Int?) -> Bool {
        columns == self.columns && Self(columns: columns, windowRows: windowRows).room == room
    }

    /// Called for each line that is printed.
    mutating func add(_ line: ScreenLine) {
        let printedRows = line.rows(columns: columns, .plain)
        guard printedRows.allSatisfy({ DisplayWidth.atMost($0) < columns }) else { return forget() }
        printed.append(Printed(line: line.end.seq == nil ? nil : line, rows: printedRows.count))
        rows += printedRows.count
        while let first = printed.first, rows - first.rows >= room {
            rows -= first.rows
            printed.removeFirst()
        }
    }

    /// Called when the lines left the window, or when something else may have written to the terminal.
    mutating func forget() {
        printed = []
        rows = 0
    }

    /// Whether the end of the message at a seq is in the window.
    func contains(_ seq: UInt64) -> Bool { printed.contains { $0.line?.end.seq == seq } }

    /// Changes marks. Returns the rows that differ from those on the screen.
    ///
    /// - Parameter mark: returns the mark of the message at a seq.
    mutating func change(_ features: TerminalFeatures, mark: (UInt64) -> ScreenLine.Mark) -> [Change] {
        var changes: [Change] = []
        var below = 0
        for index in printed.indices.reversed() {
            let count = printed[index].rows
            defer { below += count }
            guard var line = printed[index].line, let seq = line.end.seq else { continue }
            let delivery = mark(seq)
            guard line.end.delivery != delivery else { continue }
            line.end.delivery = delivery
            let rows = line.rows(columns: columns, features)
            guard rows.count == count, let last = rows.last else {
                printed[index].line = nil
                continue
            }
            printed[index].line = line
            changes.append(Change(above: below + 1, row: last))
        }
        return changes
    }
}
