import KithClient

/// How messages, and what is wrong with them, read. Pure.
struct MessageWording: Sendable {
    /// A message may have tens of thousands of line breaks; nobody wants them all on a screen.
    private static let mostLines = 200
    /// As much of a message as is repeated to say which one is meant.
    private static let snippetLength = 40

    /// What the user goes by.
    let me: String
    /// The members, the user included.
    var memberCount: Int

    /// The lines of a message.
    ///
    /// - Parameters:
    ///   - prefix: what stands in front of it.
    ///   - quoted: what it answers, if that is known.
    func lines(_ message: Message, prefix: String = "", quoting quoted: String? = nil) -> [ScreenLine] {
        let said: [ScreenLine]
        switch message.body {
        case .text(let text): said = self.said(text, message, prefix, quoted)
        case .notice(let notice): said = lines(notice, seq: message.seq, prefix: prefix)
        case .needsNewerKith(let kind):
            said = [
                ScreenLine(
                    .notice,
                    "\(prefix)[a message from \(author(message)) needs a newer Kith (its kind is \(kind)); it is kept]")
            ]
        }
        return said + message.warnings.map { ScreenLine(.failure, Self.text($0)) }
    }

    private func said(_ text: String, _ message: Message, _ prefix: String, _ quoted: String?) -> [ScreenLine] {
        let isOwn = message.author == .me
        let kind: ScreenLine.Kind = isOwn ? .own : .message
        // As terminals and editors count lines. Anything else that looks like a break is shown as what it is.
        var parts = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        let left = parts.count - Self.mostLines
        if left > 0 { parts = Array(parts.prefix(Self.mostLines)) }
        let head = "\(prefix)\(author(message)) : "
        var lines = parts.enumerated().map { index, part in
            ScreenLine(
                kind, String(part), head: index == 0 ? head : "  │ ",
                mark: index == parts.count - 1 ? mark(message) : nil)
        }
        if message.replyTo != nil {
            lines.insert(
                ScreenLine(.explanation, quoted.map { "  ↳ to “\($0)”" } ?? "  ↳ to an earlier message"), at: 0)
        }
        if left > 0 { lines.append(ScreenLine(.notice, "[and \(left) lines more; kith history shows them]")) }
        return lines
    }

    /// The beginning of what a message says.
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

    private func mark(_ message: Message) -> ScreenLine.Mark? {
        if case .contact(_, _, let trust) = message.author { return trust.isVerified ? .verified : .unverified }
        switch message.delivery {
        case nil: return nil
        case .queued: return ScreenLine.Mark("…", .yellow)
        case .onRelay: return ScreenLine.Mark("✓", .dim)
        case .read(let count):
            return ScreenLine.Mark(memberCount > 2 ? "✓✓ \(count)" : "✓✓", .green)
        }
    }

    /// What the user and this program are called where messages are shown. Nobody else goes by it without quotes.
    private static let ownNames = ["you", "kith"]

    /// A name as it is shown. Names come from others: one that could be taken for something else is put in quotes.
    static func name(_ name: String) -> String {
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            // What no font shows would make two names look the same.
            guard !scalar.properties.isDefaultIgnorableCodePoint else { return false }
            return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || scalar.properties.generalCategory == .nonspacingMark || " -_.'@+".unicodeScalars.contains(scalar)
        }
        let isOwn = ownNames.contains(name.lowercased())
        return isPlain && !isOwn && name.first != " " && name.last != " " && !name.isEmpty
            ? name : "“\(SafeText.oneLine(name))”"
    }

    // MARK: Notices

    private func lines(_ notice: Notice, seq: UInt64?, prefix: String) -> [ScreenLine] {
        let text = "\(prefix)[\(Self.quotingNames(notice).sentence)]"
        switch notice {
        // Of interest to who asks for an explanation, and to nobody else.
        case .renewed: return []
        case .unreadable:
            let hint = seq.map { "; it was left out (/explain \($0))" } ?? "; it was left out"
            return [ScreenLine(.failure, "\(prefix)[\(Self.quotingNames(notice).sentence)\(hint)]")]
        case .missed: return [ScreenLine(.failure, text)]
        default: return [ScreenLine(.notice, text)]
        }
    }

    /// The same notice with names that can't be taken for something else.
    static func quotingNames(_ notice: Notice) -> Notice {
        switch notice {
        case .began(let by): .began(by: by.isEmpty ? by : name(by))
        case .added(let added, let by): .added(name(added), by: name(by))
        case .removed(let removed, let by): .removed(name(removed), by: name(by))
        case .left(let left): .left(name(left))
        case .renamed(let title, let by): .renamed(title, by: name(by))
        case .renewed(let by): .renewed(by: name(by))
        case .unreadable(let reason, let from): .unreadable(reason, from: from.map(name))
        case .missed: notice
        }
    }

    /// What is wrong.
    static func text(_ warning: Warning) -> String {
        switch warning {
        case .missingBefore, .oldWelcome, .inviteUsedAgain, .longerThanRelayTakes: "[\(warning.sentence)]"
        case .differentLogs, .notKept:
            "[WARNING: \(warning.sentence). The relay misbehaves, or somebody in its place. Ask the others what they see]"
        }
    }
}
