import KithClient

/// Lines about strangers: the conversations that strangers begin, and their uses of the user's invites. The first few
/// conversations and the first few uses get one line each. Further conversations and uses are only counted.
struct StrangerNotices {
    /// Maximum number of conversations that get a line each. The same limit applies to uses of invites.
    private static let toldOneByOne = 3

    private var told: Set<ConversationID> = []
    private var begun = Repeats()
    private var uses = Repeats()

    /// Returns the line about a conversation that a stranger began, with the commands that accept and decline it. `nil` if the
    /// conversation was reported before or is only counted.
    ///
    /// - Parameter now: the current time of any clock, in milliseconds.
    mutating func line(for conversation: ConversationSummary, at now: UInt64) -> Sentence? {
        guard told.insert(conversation.id).inserted, let count = begun.next(at: now, each: Self.toldOneByOne) else {
            return nil
        }
        guard count <= Self.toldOneByOne else {
            return
                "strangers began \(count) conversations in a short time; kith requests shows those that are not accepted yet"
        }
        let number: Sentence = "\(own: conversation.reference)"
        let start: Sentence =
            conversation.firstLines.isEmpty
            ? "\(name: conversation.name) is new and not accepted yet"
            : "\(name: conversation.name) is new and writes \(quoted: Self.snippet(conversation.firstLines))"
        return "\(start); kith chat \(number) accepts, kith requests ignore \(number) declines"
    }

    /// Returns the beginning of a stranger's first lines.
    private static func snippet(_ lines: String) -> String {
        let line = lines.split(whereSeparator: \.isNewline).first ?? ""
        return line.count > 80 ? "\(line.prefix(79))…" : String(line)
    }

    /// Returns the line about one use of an invite; `nil` if the use is only counted.
    ///
    /// - Parameters:
    ///   - name: the name of the conversation that began with the use, if it is known.
    ///   - now: the current time of any clock, in milliseconds.
    mutating func line(forUseLeadingTo name: String?, at now: UInt64) -> Sentence? {
        guard let count = uses.next(at: now, each: Self.toldOneByOne) else { return nil }
        guard count <= Self.toldOneByOne else { return "invites of yours were used \(count) times in a short time" }
        return name.map { "\(name: $0) used your invite: kith chat \(name: $0)" } ?? "an invite of yours was used"
    }
}
