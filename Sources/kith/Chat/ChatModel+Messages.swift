import KithClient
import KithWire

// Handles new messages, and the progress of the user's own messages.

extension ChatModel {
    /// Handles a message that is new or whose state has changed.
    mutating func take(_ message: Message, isShown: Bool, isNew: Bool) {
        if message.author == .me, message.body.isSent { return takeOwn(message, isShown: isShown) }
        if case .notice(let notice) = message.body {
            // A notice with a count is shown again when the count has grown.
            guard shownNotices[message.id, default: []].insert(notice).inserted else { return }
        } else {
            guard shown.insert(message.id).inserted else { return }
        }
        remember(message)
        if case .contact = message.author { lastFromOthers = message.id }
        lastIsOwn = false
        if isShown { print(message) }
        if isNew, let seq = message.seq { request(.markRead(through: seq)) }
    }

    private mutating func takeOwn(_ message: Message, isShown: Bool) {
        guard message.seq != nil else { return wait(for: message.id, snippet: renderer.snippet(message)) }
        waiting.removeAll { $0.id == message.id }
        let readers = message.readers.count
        reads.take(message)
        if shown.insert(message.id).inserted {
            remember(message)
            if isShown { print(message) }
            lastOwn = (message.id, readers)
            lastIsOwn = true
        } else if lastOwn?.id == message.id, let before = lastOwn?.readers, readers > before {
            lastOwn?.readers = readers
            readNotice = notice(ofReadersOf: message, before: before)
        }
    }

    /// Shows a message in the status until the message is in the log. Before the message is in the log, the model may get the
    /// message's id several times: in the answer to `send`, when the message is queued, and when the relay has acknowledged the
    /// message. Only the first call has an effect.
    mutating func wait(for id: EntryID, snippet: String) {
        guard !shown.contains(id), !waiting.contains(where: { $0.id == id }) else { return }
        waiting.append((id, snippet))
    }

    /// Returns a short line when the first member has read the message, and another one when all members have read it.
    private func notice(ofReadersOf message: Message, before: Int) -> ReadMarks.Notice? {
        let others = max(1, conversation.memberCount - 1)
        let readers = message.readers.count
        guard let seq = message.seq, before == 0 || readers >= others else { return nil }
        let who: Sentence =
            if others == 1 {
                "\(onlyReader(of: message)) has"
            } else if readers >= others {
                "everyone has"
            } else {
                readers == 1 ? "1 of \(others) has" : "\(readers) of \(others) have"
            }
        let what: Sentence = lastIsOwn ? "up to here" : "\(quoted: renderer.snippet(message))"
        return ReadMarks.Notice(seq: seq, line: ScreenLine(.explanation, "[\(who) read \(what)]"))
    }

    /// Returns the name of the only other member of the conversation.
    private func onlyReader(of message: Message) -> Sentence {
        let reader = message.readers.last.flatMap { contacts[$0] } ?? conversation.contact.flatMap { contacts[$0] }
        return reader.map { "\(name: $0.name)" } ?? "the other member"
    }

    private mutating func print(_ message: Message) {
        var lines = renderer.lines(
            message, prefix: isForPerson ? prefix(message) : "",
            quoting: message.replyTo.flatMap { known[$0]?.snippet })
        guard !lines.isEmpty else { return }
        if isForPerson, let line = day.line(before: message.sentAtMs, now: now) {
            lines.insert(ScreenLine(.explanation, "\(own: line)"), at: 0)
        }
        show(lines)
    }

    /// Returns the number and the time that are printed before the message's text, with space after them. Commands accept the
    /// number. Only `/history` prints the numbers of notices.
    func prefix(_ message: Message) -> String {
        guard let seq = message.seq, message.body.isSent else { return "" }
        return "\(seq)  \(day.clock(message.sentAtMs, now: now))  "
    }

    /// Returns the lines of messages that follow each other in the log, with a line before each day.
    mutating func page(_ messages: [Message], numbersNotices: Bool) -> [ScreenLine] {
        var day = ChatDay(local: day.local)
        var lines: [ScreenLine] = []
        for message in messages {
            remember(message)
            let number = numbersNotices && !message.body.isSent ? message.seq.map { "\($0)  " } : nil
            let shown = renderer.lines(
                message, prefix: number ?? prefix(message), quoting: message.replyTo.flatMap { known[$0]?.snippet })
            if !shown.isEmpty, let line = day.line(before: message.sentAtMs, now: now) {
                lines.append(ScreenLine(.explanation, "\(own: line)"))
            }
            lines += shown
        }
        return lines
    }

    /// Stores the parts of a message that later messages and commands may need.
    mutating func note(_ message: Message) {
        if message.author == .me { reads.take(message) }
        known[message.id] = Known(seq: message.seq, snippet: renderer.snippet(message))
        if let seq = message.seq { bySeq[seq] = message.id }
    }

    /// Notes a message that the screen shows in the order of the log. `/history` continues before the oldest one.
    mutating func remember(_ message: Message) {
        note(message)
        guard let seq = message.seq else { return }
        if message.author != .kith {
            // Almost all messages are newer than those on the screen.
            let place = people.lastIndex { $0 < seq }.map { $0 + 1 } ?? 0
            if place == people.count || people[place] != seq { people.insert(seq, at: place) }
        }
        lastSeq = max(lastSeq, seq)
        oldestSeq = min(oldestSeq ?? seq, seq)
    }
}

extension Message.Body {
    /// Whether a member has sent the content, as a text or as files.
    var isSent: Bool {
        switch self {
        case .text, .files: true
        case .notice, .needsNewerKith, .deleted: false
        }
    }
}
