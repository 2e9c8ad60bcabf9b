import Foundation
import KithClient

/// The words and conditions of a search, as a user writes them: `from:bob before:2026-11-01 has:file invoice`.
struct SearchTerms: Hashable, Sendable {
    private var words: [String] = []
    private var author: String?
    private var place: String?
    private var fromMs: UInt64?
    private var beforeMs: UInt64?
    private var hasFile = false

    /// - Parameter terms: the terms. A term without an operator may consist of several words.
    /// - Throws: ``Failure`` if the value of an operator is invalid.
    init(_ terms: [String]) throws {
        for term in terms {
            let parts = term.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                words += term.split(whereSeparator: \.isWhitespace).map(String.init)
                continue
            }
            let value = Self.unquoted(String(parts[1]))
            switch parts[0].lowercased() {
            case "from": author = value
            case "in": place = value
            case "after": fromMs = try Self.startOfDay(value)
            case "before": beforeMs = try Self.startOfDay(value)
            case "has":
                guard value == "file" || value == "files" else {
                    throw Failure("has: takes file, and not \(quoted: value)")
                }
                hasFile = true
            default: words += term.split(whereSeparator: \.isWhitespace).map(String.init)
            }
        }
    }

    /// Creates the terms of a line. A value in quotes may contain spaces.
    init(line: String) throws {
        var terms: [String] = []
        var (term, isQuoted) = ("", false)
        for character in line {
            if character == "\"" { isQuoted.toggle() }
            if character.isWhitespace, !isQuoted {
                if !term.isEmpty { terms.append(term) }
                term = ""
            } else {
                term.append(character)
            }
        }
        try self.init(term.isEmpty ? terms : terms + [term])
    }

    private static func unquoted(_ value: String) -> String {
        value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
            ? String(value.dropFirst().dropLast()) : value
    }

    /// Returns the beginning of a day in the user's time zone, in milliseconds since 1970.
    ///
    /// - Parameter text: the day in the form `2026-11-30`.
    private static func startOfDay(_ text: String) throws -> UInt64 {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
        if parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2],
            (1970...9999).contains(year),
            (1...12).contains(month), (1...31).contains(day)
        {
            var time = tm()
            (time.tm_year, time.tm_mon, time.tm_mday, time.tm_isdst) = (year - 1900, month - 1, day, -1)
            let seconds = mktime(&time)
            // The C library takes February 30 for a day in March.
            if time.tm_mon == month - 1, time.tm_mday == day { return UInt64(max(0, seconds)) * 1000 }
        }
        throw Failure("\(quoted: text) is no day; write it as 2026-11-30")
    }

    /// The name of the conversation after `in:`; `nil` if there is none.
    var conversationName: String? { place }

    /// Returns the search that the terms describe. An author's name in the terms is looked up among the contacts.
    ///
    /// - Parameters:
    ///   - conversation: the conversation that is searched; `nil` for all.
    ///   - me: the user's name.
    func search(in conversation: ConversationID?, me: String, contacts: [Contact]) throws -> MessageSearch {
        var search = MessageSearch(words, in: conversation)
        if let author { search.author = try Self.author(author, me: me, contacts) }
        (search.fromMs, search.beforeMs, search.hasFile) = (fromMs, beforeMs, hasFile)
        return search
    }

    private static func author(_ name: String, me: String, _ contacts: [Contact]) throws -> MessageSearch.Author {
        let lower = name.lowercased()
        let contact = contacts.first { $0.name == name } ?? contacts.first { $0.name.lowercased() == lower }
        if let contact { return .contact(contact.id) }
        if lower == "me" || lower == me.lowercased() { return .me }
        throw Failure("there is no contact \(name: name) (from:me finds your own messages)")
    }
}
