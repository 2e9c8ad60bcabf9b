/// The names of the contacts and of the user. The time to find a free name does not depend on the number of names, so a member
/// who adds thousands of people with equal names cannot slow the device down.
///
/// Names that look alike count as equal: case, width and invisible characters are ignored.
struct NamesInUse {
    private let folding: NameFolding
    /// For each folded name, the number of people who have the name. In older profiles, two people may have equal folded names.
    private var holders: [String: Int] = [:]
    /// For each folded name, the first number that ``free(_:)`` tries to append.
    private var nextNumber: [String: Int] = [:]

    init(folding: NameFolding) { self.folding = folding }

    mutating func didRename(from old: String?, to name: String) {
        if let old { didRemove(old) }
        holders[compared(name), default: 0] += 1
    }

    mutating func didRemove(_ name: String) {
        let name = compared(name)
        if let count = holders[name] { holders[name] = count > 1 ? count - 1 : nil }
    }

    /// Returns the name. If another person already has the name, appends a number.
    mutating func free(_ name: String) -> String {
        guard !isFree(name) else { return name }
        let key = compared(name)
        var number = nextNumber[key] ?? 2
        while !isFree("\(name) (\(number))") { number += 1 }
        nextNumber[key] = number
        return "\(name) (\(number))"
    }

    /// Whether the name is free: no other person has it.
    ///
    /// - Parameter own: the current name of the person who will get the new name.
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
    /// The text without spaces at its ends, and with single spaces between words. Line breaks count as spaces.
    var trimmedOneLine: String {
        split(whereSeparator: { $0.isWhitespace || $0.isNewline }).joined(separator: " ")
    }
    /// Returns a name or a title as it is stored: ``trimmedOneLine``.
    ///
    /// - Parameter limit: the maximum number of bytes in UTF-8.
    /// - Throws: ``KithError/blankName`` or ``KithError/tooLong(limit:)``.
    func nameOfOneLine(atMost limit: Int) throws(KithError) -> String {
        let name = trimmedOneLine
        guard !name.isEmpty else { throw .blankName }
        guard name.utf8.count <= limit else { throw .tooLong(limit: limit) }
        return name
    }
}
