/// The names of the contacts and of the user. Finding a free name takes no longer with thousands of names: a member can add
/// thousands of people who all have the same name.
///
/// Names that look the same count as the same: case, width and characters that no font draws make no difference.
struct NamesInUse {
    private let folding: NameFolding
    /// The number of holders of each name, in the form that is compared: older profiles may have two of one.
    private var holders: [String: Int] = [:]
    /// The number from which on to look, by name.
    private var nextNumber: [String: Int] = [:]

    init(folding: NameFolding) { self.folding = folding }

    mutating func didRename(from old: String?, to name: String) {
        if let old {
            let old = compared(old)
            if let count = holders[old] { holders[old] = count > 1 ? count - 1 : nil }
        }
        holders[compared(name), default: 0] += 1
    }

    /// The name, with a number if another person has it.
    mutating func free(_ name: String) -> String {
        guard !isFree(name) else { return name }
        let key = compared(name)
        var number = nextNumber[key] ?? 2
        while !isFree("\(name) (\(number))") { number += 1 }
        nextNumber[key] = number
        return "\(name) (\(number))"
    }

    /// Whether nobody else has the name.
    ///
    /// - Parameter own: the present name of the person who is to have it.
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
    /// Without space around it and with none but spaces inside.
    var trimmedOneLine: String {
        split(whereSeparator: { $0.isWhitespace || $0.isNewline }).joined(separator: " ")
    }
}
