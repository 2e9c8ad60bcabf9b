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
        return said + message.warnings.map { ScreenLine(.failure, text($0, from: author(message))) }
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

    /// A name as it is shown. Names come from others: one that could be taken for something else is put in quotes.
    static func name(_ name: String) -> String {
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || scalar.properties.generalCategory == .nonspacingMark || " -_.'@+".unicodeScalars.contains(scalar)
        }
        return isPlain && name.first != " " && name.last != " " && !name.isEmpty ? name : "“\(SafeText.oneLine(name))”"
    }

    // MARK: Notices

    private func lines(_ notice: Notice, seq: UInt64?, prefix: String) -> [ScreenLine] {
        let number = seq.map { "entry \($0)" } ?? "an entry"
        switch notice {
        case .began(let by): return [ScreenLine(.notice, "\(prefix)[the conversation begins; \(Self.name(by)) made it]")]
        case .added(let name, let by):
            return [ScreenLine(.notice, "\(prefix)[\(Self.name(by)) added \(Self.name(name))]")]
        case .removed(let name, let by):
            return [ScreenLine(.notice, "\(prefix)[\(Self.name(by)) removed \(Self.name(name))]")]
        case .left(let name): return [ScreenLine(.notice, "\(prefix)[\(Self.name(name)) left]")]
        case .renamed(let title, let by):
            return [ScreenLine(.notice, "\(prefix)[\(Self.name(by)) named the conversation \(Self.name(title))]")]
        // Of interest to who asks for an explanation, and to nobody else.
        case .renewed: return []
        case .unreadable(let reason, let from):
            let sender = from.map { " from \(Self.name($0))" } ?? ""
            return [
                ScreenLine(
                    .failure, "\(prefix)[\(number)\(sender) can't be read: \(Self.text(reason)). It was left out]")
            ]
        case .missed(let first, let last):
            return [
                ScreenLine(
                    .failure,
                    "\(prefix)[this device missed what the relay no longer has (entries \(first)–\(last))]")
            ]
        }
    }

    private static func text(_ reason: UnreadableReason) -> String {
        switch reason {
        case .notGenuine: "it does not decrypt, or its signature is wrong"
        case .repeated: "it was said already, and its key is gone"
        case .tooFarAhead: "it is too far ahead of its sender's others"
        case .malformed: "what it holds makes no sense"
        case .wrongID: "it says that it is another entry than it is"
        case .invalidCommit: "it is a change that breaks the rules"
        }
    }

    /// What is wrong, and with what.
    func text(_ warning: Warning, from sender: String) -> String {
        switch warning {
        case .differentLogs(let first, let last):
            "[WARNING: the relay showed \(sender) another log than you, somewhere in entries \(first)–\(last). It "
                + "misbehaves, or somebody does in its place. Ask \(sender) what they see there]"
        case .missingBefore(let count):
            count == 1
                ? "[1 message from \(sender) before this one has not arrived]"
                : "[\(count) messages from \(sender) before this one have not arrived]"
        case .notKept(let seq):
            "[WARNING: the relay said that it has entry \(seq), and shows another in its place]"
        }
    }
}
