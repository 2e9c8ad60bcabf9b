import KithClient
import KithWire

// Messages, as they arrive and as they come further.

extension ChatModel {
    /// A message that is new, or that has come further.
    mutating func take(_ message: Message, isShown: Bool, isNew: Bool) {
        if message.author == .me, case .text = message.body { return takeOwn(message, isShown: isShown) }
        // A line that counts is told again with a higher number.
        guard shown.insert(message.id).inserted || message.body.counts else { return }
        remember(message)
        if case .contact = message.author { lastFromOthers = message.id }
        lastIsOwn = false
        if isShown { print(message) }
        if isNew, let seq = message.seq { request(.markRead(through: seq)) }
    }

    private mutating func takeOwn(_ message: Message, isShown: Bool) {
        guard message.seq != nil else { return wait(for: message.id, snippet: renderer.snippet(message)) }
        waiting.removeAll { $0.id == message.id }
        var readers = 0
        if case .read(let count) = message.delivery { readers = count }
        if shown.insert(message.id).inserted {
            remember(message)
            if isShown { print(message) }
            lastOwn = (message.id, readers)
            lastIsOwn = true
        } else if lastOwn?.id == message.id, let before = lastOwn?.readers, readers > before {
            lastOwn?.readers = readers
            showReceipt(message, readers: readers, before: before)
        }
    }

    /// Keeps a message in the status until it is in the log. Its events repeat the id: the first that it is queued, the next that
    /// the relay has it.
    mutating func wait(for id: EntryID, snippet: String) {
        guard !shown.contains(id), !waiting.contains(where: { $0.id == id }) else { return }
        waiting.append((id, snippet))
    }

    /// One small line for the first member who has read it, and one for the last.
    private mutating func showReceipt(_ message: Message, readers: Int, before: Int) {
        let others = max(1, conversation.memberCount - 1)
        guard isForPerson, before == 0 || readers >= others else { return }
        let who: Sentence =
            if others == 1 {
                "\(onlyReader(of: message)) has"
            } else if readers >= others {
                "everyone has"
            } else {
                readers == 1 ? "1 of \(others) has" : "\(readers) of \(others) have"
            }
        let what: Sentence = lastIsOwn ? "up to here" : "\(quoted: renderer.snippet(message))"
        show([ScreenLine(.explanation, "[\(who) read \(what)]")])
    }

    /// The name of the other member of a conversation of two, which may be a group.
    private func onlyReader(of message: Message) -> Sentence {
        let reader = message.readers.last.flatMap { contacts[$0] } ?? conversation.contact.flatMap { contacts[$0] }
        return reader.map { "\(name: $0.name)" } ?? "the other member"
    }

    private mutating func print(_ message: Message) {
        var lines = renderer.lines(
            message, prefix: isForPerson ? Self.number(message) : "",
            quoting: message.replyTo.flatMap { known[$0]?.snippet })
        guard !lines.isEmpty else { return }
        if isForPerson, let line = day.line(before: message.sentAtMs, now: now) {
            lines.insert(ScreenLine(.explanation, "\(own: line)"), at: 0)
        }
        show(lines)
    }

    /// The number that `/reply` and `/explain` take, in front of what people say. Notices have theirs in `/history`.
    private static func number(_ message: Message) -> String {
        guard let seq = message.seq, case .text = message.body else { return "" }
        return "\(seq)  "
    }

    /// Keeps what later messages and commands may refer to.
    mutating func remember(_ message: Message) {
        known[message.id] = Known(seq: message.seq, snippet: renderer.snippet(message))
        guard let seq = message.seq else { return }
        bySeq[seq] = message.id
        lastSeq = max(lastSeq, seq)
        oldestSeq = min(oldestSeq ?? seq, seq)
    }
}

extension Message.Body {
    /// Whether it counts more than one of what it tells.
    fileprivate var counts: Bool {
        if case .notice(.unreadable(_, _, let count)) = self { count > 1 } else { false }
    }
}
