import KithClient

/// Formats messages as lines for people, in a chat and in the output of commands. The type performs no input or output.
struct MessageRenderer: Sendable {
    /// The parts that are printed before a message, in order.
    enum Layout: Hashable, Sendable {
        /// The entry's number, the time of day, the author, and whether the author's key is trusted. A line with the day is
        /// printed between messages of different days (``ChatDay``).
        case chat
        /// The time, the entry's number, the conversation if the output has several conversations, and the author.
        case record(conversation: String?)
    }

    /// Maximum number of lines of one message in a chat. A message can have tens of thousands of line breaks.
    private static let linesInChat = 200
    /// Maximum length of a snippet, in characters. A snippet is the beginning of a message. A line that refers to the message
    /// shows the snippet.
    private static let snippetLength = 40
    /// Maximum number of people with the same reaction whose names are shown.
    private static let namesOfReactions = 5

    /// The user's name.
    let me: String
    /// The number of members, including the user.
    var memberCount = 2
    var layout = Layout.chat

    /// Returns the lines of a message.
    ///
    /// - Parameters:
    ///   - prefix: the text before the message in a chat: the entry's number and the message's time, with space after them.
    ///   - quoted: if this message is an answer, the beginning of the answered message; `nil` if it is unknown.
    func lines(_ message: Message, prefix: String = "", quoting quoted: String? = nil) -> [ScreenLine] {
        let prefix = layout == .chat ? prefix : Self.recordPrefix(message)
        var lines: [ScreenLine]
        switch message.body {
        case .text(let text): lines = self.lines(ofText: text, message, prefix)
        case .files(let files): lines = self.lines(of: files, message, prefix)
        case .notice(let notice): lines = self.lines(of: notice, seq: message.seq, prefix)
        case .deleted:
            lines = [
                ScreenLine(
                    .notice, "\(own: prefix + conversationPrefix)[\(own: author(message)) deleted this message]")
            ]
        case .needsNewerKith(let kind):
            lines = [
                ScreenLine(
                    .notice,
                    "\(own: prefix + conversationPrefix)[a message from \(own: author(message)) can't be shown (its kind is \(kind)); a newer Kith can show it]"
                )
            ]
        }
        if message.replyTo != nil, message.body.isSent { lines.insert(reply(message, quoted, prefix), at: 0) }
        return lines + message.warnings.map { warning($0) }
    }

    /// Returns the line for a warning about a message or about a conversation's log.
    ///
    /// - Parameter times: number of equal recent warnings.
    func warning(_ warning: Warning, times: Int = 1) -> ScreenLine {
        let sentence = warning.sentence(times: times)
        guard layout == .chat else { return ScreenLine(.failure, "  ! \(sentence)") }
        switch warning {
        case .missingBefore, .oldWelcome, .inviteUsedAgain, .longerThanRelayTakes, .invitationWaits,
            .notSentToBlocked:
            return ScreenLine(.failure, "[\(sentence)]")
        case .differentLogs, .notKept, .heldBack:
            return ScreenLine(
                .failure,
                "[WARNING: \(sentence). The relay, or somebody in its place, may be misbehaving; ask the others what they see]"
            )
        }
    }

    /// Returns the beginning of a message's text.
    func snippet(_ message: Message) -> String {
        switch message.body {
        case .text(let text): Self.snippet(text)
        case .files(let files): Self.snippet(files.caption.isEmpty ? files.files.first?.name ?? "files" : files.caption)
        case .deleted: "a deleted message"
        case .notice, .needsNewerKith: "a message"
        }
    }

    /// Returns the beginning of a text, in one line.
    static func snippet(_ text: String) -> String {
        let line = text.prefix(snippetLength + 1).map { $0.isNewline ? " " : $0 }
        return line.count > snippetLength ? String(line.prefix(snippetLength)) + "…" : String(line)
    }

    // MARK: Texts

    func lines(ofText text: String, _ message: Message, _ prefix: String) -> [ScreenLine] {
        let kind: ScreenLine.Kind = message.author == .me ? .own : .message
        var parts = TextMarkup.lines(of: text)
        let left = layout == .chat ? parts.count - Self.linesInChat : 0
        if left > 0 { parts = Array(parts.prefix(Self.linesInChat)) }
        let head = layout == .chat ? chatHead(message, prefix) : recordHead(message, prefix)
        var lines = parts.enumerated().map { index, part in
            ScreenLine(
                kind, head: index == 0 ? head : continuation(of: prefix), part,
                end: index == parts.count - 1 ? end(of: message) : ScreenLine.End())
        }
        if left > 0 {
            lines.append(ScreenLine(.notice, "[and \(own: counted(left, "line")) more, which kith history shows]"))
        }
        if let reactions = reactions(to: message) { lines.append(reactions) }
        return lines
    }

    private func chatHead(_ message: Message, _ prefix: String) -> [ScreenLine.Mark] {
        ScreenLine.head(number: prefix, author: author(message), isOwn: message.author == .me, trust: trust(message))
    }

    private func recordHead(_ message: Message, _ prefix: String) -> [ScreenLine.Mark] {
        let name: [ScreenLine.Mark] =
            switch message.author {
            case .me: [ScreenLine.Mark("you", .green)]
            case .kith: [ScreenLine.Mark("kith", .plain)]
            case .contact(_, let name, let trust):
                [ScreenLine.Mark(SafeText.name(name), .cyan)]
                    + (trust.isVerified ? [] : [ScreenLine.Mark(" (unverified)", .yellow)])
            }
        return [ScreenLine.Mark(prefix, .dim), ScreenLine.Mark(conversationPrefix, .plain)] + name
            + [ScreenLine.Mark(": ", .plain)]
    }

    private func continuation(of prefix: String) -> [ScreenLine.Mark] {
        switch layout {
        case .chat: [ScreenLine.Mark(ScreenLine.continuation, .dim)]
        case .record: [ScreenLine.Mark(String(repeating: " ", count: prefix.count + 2), .plain)]
        }
    }

    /// Returns a prefix such as `2026-11-24 10:15  12  `. For an unsent message, `-` takes the place of the number.
    private static func recordPrefix(_ message: Message) -> String {
        "\(Timestamp(ms: message.sentAtMs).local)  \(message.seq.map { "\($0)" } ?? "-")  "
    }

    var conversationPrefix: String {
        if case .record(let conversation?) = layout { "\(SafeText.name(conversation)) › " } else { "" }
    }

    func author(_ message: Message) -> String {
        layout == .chat && message.author == .me ? SafeText.name(me) : message.author.shortName
    }

    private func trust(_ message: Message) -> ScreenLine.Mark? {
        guard case .contact(_, _, let trust) = message.author else { return nil }
        return trust.isVerified ? .verified : .unverified
    }

    /// Returns the line above a message that answers another message. Outside of a chat, the line has the number of the other
    /// message, and is indented like the lines of a long text.
    private func reply(_ message: Message, _ quoted: String?, _ prefix: String) -> ScreenLine {
        guard layout != .chat else { return ScreenLine(.explanation, "  ↳ to \(answered(by: message, quoted))") }
        let indentation = String(repeating: " ", count: prefix.count)
        let number: Sentence? = message.quote.map { "\($0.seq), " }
        return ScreenLine(
            .explanation, "\(own: indentation)↳ to \(number ?? "")\(answered(by: message, quoted))")
    }

    /// Returns the author and the beginning of the message that a message answers.
    private func answered(by message: Message, _ quoted: String?) -> Sentence {
        let author = message.quote.map { person($0.author) }
        let text: Sentence? = (message.quote?.text ?? quoted).map { "\(quoted: Self.snippet($0))" }
        switch (author, text) {
        case (let author?, let text?):
            return message.quote?.isEdited == true ? "\(author): \(text) (edited)" : "\(author): \(text)"
        case (let author?, nil): return "a message from \(author)"
        case (nil, let text?): return text
        case (nil, nil): return "an earlier message"
        }
    }

    /// Returns the name of a message's author.
    func person(_ author: Message.Author) -> Sentence {
        switch author {
        case .me: "you"
        case .contact(_, let name, _): "\(name: name)"
        case .kith: "Kith"
        }
    }

    /// Returns the line with the reactions to a message, such as `👍 bob and you · 🎉 carol`; `nil` if there are none. If more
    /// than ``namesOfReactions`` people have the same reaction, they are only counted.
    private func reactions(to message: Message) -> ScreenLine? {
        guard !message.reactions.isEmpty else { return nil }
        var order: [String] = []
        var people: [String: [Sentence]] = [:]
        for reaction in message.reactions {
            if people[reaction.text] == nil { order.append(reaction.text) }
            people[reaction.text, default: []].append(person(reaction.author))
        }
        let parts = order.map { text -> Sentence in
            let names = people[text] ?? []
            let who: Sentence =
                names.count > Self.namesOfReactions ? "\(names.count)" : names.joined(separator: ", ")
            return "\(own: SafeText.oneLine(text)) \(who)"
        }
        return ScreenLine(.explanation, "    \(parts.joined(separator: " · "))")
    }

    /// Returns the marks behind a message: edited, pinned, the time after which it disappears, and its delivery.
    func end(of message: Message) -> ScreenLine.End {
        var words: [String] = []
        if message.isEdited { words.append("(edited)") }
        if message.isPinned { words.append("(pinned)") }
        if let seconds = message.expiresAfter {
            let sentence: Sentence = "(disappears after \(duration: seconds))"
            words.append(sentence.description)
        }
        var end = ScreenLine.End(note: words.joined(separator: " "), delivery: message.delivery.flatMap(mark))
        if layout == .chat, message.delivery != nil { end.seq = message.seq }
        return end
    }

    private func mark(_ delivery: Delivery) -> ScreenLine.Mark? {
        if layout == .chat { return ReadMarks.mark(delivery, counts: memberCount > 2) }
        switch delivery {
        case .queued: return ScreenLine.Mark("[queued]", .dim)
        case .onRelay: return nil
        case .read(let count): return ScreenLine.Mark(memberCount > 2 ? "[read by \(count)]" : "[read]", .dim)
        }
    }

    // MARK: Notices

    private func lines(of notice: Notice, seq: UInt64?, _ prefix: String) -> [ScreenLine] {
        let start = prefix + conversationPrefix
        let sentence = notice.sentence(for: me)
        switch notice {
        // Only /explain shows this notice.
        case .renewed: return []
        case .unreadable:
            let command: Sentence = layout == .chat ? "/explain" : "kith explain"
            let hint: Sentence = seq.map { "; it was left out (\(command) \($0))" } ?? "; it was left out"
            return [ScreenLine(.failure, "\(own: start)[\(sentence)\(hint)]")]
        case .missed: return [ScreenLine(.failure, "\(own: start)[\(sentence)]")]
        default: return [ScreenLine(.notice, "\(own: start)[\(sentence)]")]
        }
    }
}
