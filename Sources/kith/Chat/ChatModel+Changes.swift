import KithClient

// Handles changes of earlier messages.

extension ChatModel {
    /// Handles a change of a message of this conversation.
    mutating func take(_ message: Message, _ update: MessageUpdate) {
        remember(message)
        let what: Sentence = "message \(message.seq ?? 0)"
        switch update {
        case .reaction(let text?, let author):
            notice("\(name(of: author)) reacted to \(what) with \(own: SafeText.oneLine(text))")
        case .reaction(nil, let author): notice("\(name(of: author)) took back the reaction to \(what)")
        case .edited:
            notice("\(name(of: message.author)) edited \(what)")
            show(renderer.lines(message, prefix: isForPerson ? Self.number(message) : ""))
        case .deleted: notice("\(name(of: message.author)) deleted \(what)")
        case .expired: notice("\(what) has expired")
        // A notice in the log says so.
        case .pinned, .unpinned: break
        }
    }

    private func name(of author: Message.Author) -> Sentence {
        switch author {
        case .me: "you"
        case .contact(_, let name, _): "\(name: name)"
        case .kith: "Kith"
        }
    }
}
