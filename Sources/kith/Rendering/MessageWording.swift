import KithClient

/// The wording of messages and of their problems. Pure.
struct MessageWording: Sendable {
    /// The most lines of one message that are shown: a message may have tens of thousands of line breaks.
    private static let mostLines = 200
    /// The most characters of a message that are repeated to say which one is meant.
    private static let snippetLength = 40

    /// The user's name.
    let me: String
    /// The number of members, the user included.
    var memberCount: Int

    /// The lines of a message.
    ///
    /// - Parameters:
    ///   - prefix: the entry's number and what else tells the message apart, with space behind it.
    ///   - quoted: the beginning of the message that it answers, if that is known.
    func lines(_ message: Message, prefix: String = "", quoting quoted: String? = nil) -> [ScreenLine] {
        let said: [ScreenLine]
        switch message.body {
        case .text(let text): said = self.said(text, message, prefix, quoted)
        case .notice(let notice): said = lines(notice, seq: message.seq, prefix: prefix)
        case .needsNewerKith(let kind):
            said = [
                ScreenLine(
                    .notice,
                    "\(own: prefix)[a message from \(own: author(message)) needs a newer Kith (its kind is \(kind)); it is kept]"
                )
            ]
        }
        return said + message.warnings.map { ScreenLine(.failure, Self.text($0)) }
    }

    private func said(_ text: String, _ message: Message, _ prefix: String, _ quoted: String?) -> [ScreenLine] {
        let kind: ScreenLine.Kind = message.author == .me ? .own : .message
        // As terminals and editors count lines. Anything else that looks like a break is shown as what it is.
        var parts = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        let left = parts.count - Self.mostLines
        if left > 0 { parts = Array(parts.prefix(Self.mostLines)) }
        var lines = parts.enumerated().map { index, part in
            let delivery = index == parts.count - 1 ? delivery(message) : nil
            guard index == 0 else { return ScreenLine.continued(kind, String(part), delivery: delivery) }
            return .said(
                kind, String(part), number: prefix, by: author(message), trust: trust(message), delivery: delivery)
        }
        if message.replyTo != nil {
            lines.insert(
                ScreenLine(.explanation, quoted.map { "  ↳ to \(quoted: $0)" } ?? "  ↳ to an earlier message"), at: 0)
        }
        if left > 0 {
            lines.append(ScreenLine(.notice, "[and \(own: counted(left, "line")) more, which kith history shows]"))
        }
        return lines
    }

    /// The beginning of a message's text.
    func snippet(_ message: Message) -> String {
        guard case .text(let text) = message.body else { return "a message" }
        return Self.snippet(text)
    }

    static func snippet(_ text: String) -> String {
        let line = text.prefix(snippetLength + 1).map { $0.isNewline ? " " : $0 }
        return line.count > snippetLength ? String(line.prefix(snippetLength)) + "…" : String(line)
    }

    private func author(_ message: Message) -> String {
        switch message.author {
        case .me: Self.name(me)
        case .contact(_, let name, _): Self.name(name)
        case .kith: "Kith"
        }
    }

    private func trust(_ message: Message) -> ScreenLine.Mark? {
        guard case .contact(_, _, let trust) = message.author else { return nil }
        return trust.isVerified ? .verified : .unverified
    }

    private func delivery(_ message: Message) -> ScreenLine.Mark? {
        switch message.delivery {
        case nil: nil
        case .queued: ScreenLine.Mark("…", .yellow)
        case .onRelay: ScreenLine.Mark("✓", .dim)
        case .read(let count): ScreenLine.Mark(memberCount > 2 ? "✓✓ \(count)" : "✓✓", .green)
        }
    }

    /// A name as it is shown, safe for a terminal.
    static func name(_ name: String) -> String { SafeText.oneLine(ForeignText(name).description) }

    // MARK: Notices

    private func lines(_ notice: Notice, seq: UInt64?, prefix: String) -> [ScreenLine] {
        let text: Sentence = "\(own: prefix)[\(notice.sentence(for: me))]"
        switch notice {
        // Shown by /explain only.
        case .renewed: return []
        case .unreadable:
            let hint: Sentence = seq.map { "; it was left out (/explain \($0))" } ?? "; it was left out"
            return [ScreenLine(.failure, "\(own: prefix)[\(notice.sentence(for: me))\(hint)]")]
        case .missed: return [ScreenLine(.failure, text)]
        default: return [ScreenLine(.notice, text)]
        }
    }

    /// That a stranger began a conversation, and how to accept or decline it.
    static func invitation(_ conversation: ConversationSummary) -> Sentence {
        let number = conversation.id.rawValue
        let start: Sentence = "\(name: conversation.name) is new and waits for you"
        return "\(start); kith chat #\(number) accepts, kith group leave #\(number) declines"
    }

    /// That strangers began many conversations.
    static func invitations(_ count: Int) -> Sentence {
        "strangers began \(count) conversations in a short time; kith list shows those that wait for you"
    }

    /// That invites were used many times.
    static func invitesUsed(_ count: Int) -> Sentence { "invites of yours were used \(count) times in a short time" }

    /// The number of strangers' conversations, and of uses of invites, that are told one by one before they are only counted.
    static let toldOneByOne = 3

    /// A warning in a row of its own.
    ///
    /// - Parameter times: how often it came lately.
    static func text(_ warning: Warning, times: Int = 1) -> Sentence {
        let sentence = warning.sentence(times: times)
        return switch warning {
        case .missingBefore, .oldWelcome, .inviteUsedAgain, .longerThanRelayTakes, .invitationWaits:
            "[\(sentence)]"
        case .differentLogs, .notKept, .heldBack:
            "[WARNING: \(sentence). The relay misbehaves, or somebody in its place. Ask the others what they see]"
        }
    }
}
