/// The names of the contacts and of the user. The time to find a free name does not grow with the number of names, because a
/// member can add thousands of people with the same name.
///
/// Names that look the same count as equal: case, width and invisible characters are ignored.
struct NamesInUse {
    private let folding: NameFolding
    /// The number of holders of each folded name. Older profiles may have two holders of one name.
    private var holders: [String: Int] = [:]
    /// The first number to try for each folded name.
    private var nextNumber: [String: Int] = [:]

    init(folding: NameFolding) { self.folding = folding }

    mutating func didRename(from old: String?, to name: String) {
        if let old {
            let old = compared(old)
            if let count = holders[old] { holders[old] = count > 1 ? count - 1 : nil }
        }
        holders[compared(name), default: 0] += 1
    }

    /// Returns the name, with a number if another person has it.
    mutating func free(_ name: String) -> String {
        guard !isFree(name) else { return name }
        let key = compared(name)
        var number = nextNumber[key] ?? 2
        while !isFree("\(name) (\(number))") { number += 1 }
        nextNumber[key] = number
        return "\(name) (\(number))"
    }

    /// Whether no other person has the name.
    ///
    /// - Parameter own: the current name of the person who is to get the name.
    func isFree(_ name: String, exceptFor own: String? = nil) -> Bool {
        let key = compared(name)
        let mine = own.map { compared($0) == key } == true ? 1 : 0
        return (holders[key] ?? 0) <= mine
    }

    private func compared(_ name: String) -> String {
        let drawn = name.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint }
        return folding(String(String.UnicodeScalarView(drawn)))
    }
}

extension String {
    /// The text on one line: without space around it, and with single spaces inside.
    var trimmedOneLine: String {
        split(whereSeparator: { $0.isWhitespace || $0.isNewline }).joined(separator: " ")
    }
}
