/// Lays out two columns of paragraphs. The type performs no input or output.
struct SideBySide {
    /// Minimum width for two columns. In a narrower window, the second column is printed below the first column.
    static let narrowest = 60
    private static let gap = " │ "

    /// A paragraph and its topic. If two paragraphs have the same topic, they are printed beside each other.
    struct Cell: Equatable {
        let topic: String
        let text: String
    }

    let width: Int
    let leftTitle: String
    let rightTitle: String

    func lines(left: [Cell], right: [Cell]) -> [String] {
        guard width >= Self.narrowest else {
            return one(leftTitle, left) + [""] + one(rightTitle, right)
        }
        let column = (width - DisplayWidth.of(Self.gap)) / 2
        var lines = row(leftTitle, rightTitle, column)
        lines.append(String(repeating: "─", count: column) + "─┼─" + String(repeating: "─", count: column))
        for (index, (one, other)) in Self.aligned(left, right).enumerated() {
            if index > 0 { lines += row("", "", column) }
            lines += row(one?.text ?? "", other?.text ?? "", column)
        }
        return lines
    }

    private func one(_ title: String, _ cells: [Cell]) -> [String] {
        [title, String(repeating: "─", count: width)]
            + cells.enumerated().flatMap { index, cell in
                (index > 0 ? [""] : []) + TextLayout.wrap(cell.text, width: width)
            }
    }

    private func row(_ left: String, _ right: String, _ column: Int) -> [String] {
        let left = TextLayout.wrap(left, width: column)
        let right = TextLayout.wrap(right, width: column)
        return (0..<max(left.count, right.count)).map { index in
            let one = TextLayout.pad(index < left.count ? left[index] : "", to: column)
            return one + Self.gap + (index < right.count ? right[index] : "")
        }
    }

    /// Pairs the cells of two columns. As many cells as possible are beside a cell with the same topic. The pairs are a longest
    /// common subsequence of the topics.
    static func aligned(_ left: [Cell], _ right: [Cell]) -> [(Cell?, Cell?)] {
        var longest = Array(repeating: Array(repeating: 0, count: right.count + 1), count: left.count + 1)
        for i in left.indices.reversed() {
            for j in right.indices.reversed() {
                longest[i][j] =
                    left[i].topic == right[j].topic
                    ? longest[i + 1][j + 1] + 1 : max(longest[i + 1][j], longest[i][j + 1])
            }
        }
        var rows: [(Cell?, Cell?)] = []
        var i = 0
        var j = 0
        while i < left.count || j < right.count {
            if i < left.count, j < right.count, left[i].topic == right[j].topic {
                rows.append((left[i], right[j]))
                i += 1
                j += 1
            } else if j == right.count || (i < left.count && longest[i + 1][j] >= longest[i][j + 1]) {
                rows.append((left[i], nil))
                i += 1
            } else {
                rows.append((nil, right[j]))
                j += 1
            }
        }
        return rows
    }
}
