import KithClient
import KithWire

// Handles changes of earlier messages.

extension ChatModel {
    /// Returns the seq of the message with a number. If the number counts back further than the messages on the screen, tells
    /// the user and returns `nil`.
    mutating func seq(_ number: MessageNumber) -> UInt64? {
        switch number {
        case .seq(let seq): return seq
        case .fromEnd(let count):
            if count <= people.count { return people[people.count - count] }
            complain("there are only \(people.count) messages on this screen; /history shows earlier ones")
            return nil
        }
    }

    mutating func explain(_ number: MessageNumber?) {
        if let number {
            if let seq = seq(number) { request(.explain(seq)) }
        } else if lastSeq > 0 {
            request(.explain(lastSeq))
        } else {
            complain("there are no messages yet")
        }
    }

    /// Searches the conversation for messages that meet the conditions in a line.
    mutating func search(_ line: String) {
        do {
            let terms = try SearchTerms(line: line)
            guard terms.conversationName == nil else {
                return complain("a chat searches its own conversation; kith search finds messages of others")
            }
            let contacts = contacts.values.sorted { $0.id < $1.id }
            request(.search(try terms.search(in: conversation.id, me: renderer.me, contacts: contacts)))
        } catch let failure as Failure {
            complain("\(own: failure.message)")
        } catch {
            complain("\(own: ErrorWords.sentence(for: error))")
        }
    }

    mutating func showFound(_ messages: [Message]) {
        guard !messages.isEmpty else { return notice("nothing was found") }
        var lines: [ScreenLine] = []
        // The newest message is printed last, directly above the input line.
        for message in messages.reversed() {
            note(message)
            let number = message.seq.map { "\($0)  " } ?? ""
            lines += renderer.lines(message, prefix: "\(number)\(day.short(message.sentAtMs))  ")
        }
        lines.append(ScreenLine(.notice, "── \(messages.count) found ──"))
        show(lines)
    }

    /// Changes a message. Without a number, an edit or a deletion changes the user's own last message. A reaction or a pin
    /// without a number changes the last message of another member.
    mutating func change(_ number: MessageNumber?, _ change: RequestedChange) {
        let last: EntryID? =
            switch change {
            case .edit, .deletion: lastOwn?.id
            case .reaction, .pin: lastFromOthers
            }
        guard let seq = number.map({ seq($0) }) ?? last.flatMap({ known[$0]?.seq }) else {
            if number == nil { complain("there is no such message on this screen; /history shows earlier ones") }
            return
        }
        if change == .deletion {
            ask(
                "delete message \(seq) for everyone?", yes: .change(seq, change),
                no: .notice("message \(seq) was not deleted; /delete \(seq) asks again"))
        } else {
            request(.change(seq, change))
        }
    }

    /// Removes a text from the screen. A terminal can't remove a single line that has scrolled, so this function clears the
    /// screen.
    private mutating func remove(_ message: Message, saying text: Sentence) {
        if shown.contains(message.id) { clearScreen(saying: text) } else { notice(text) }
    }

    /// Clears the screen and shows the last messages again, in their current states.
    mutating func clearScreen(saying text: Sentence) {
        guard isForPerson else { return notice(text) }
        outputs.append(.clear)
        request(.lastPage(limit: Self.page))
        notice("\(text), and the screen was cleared; /history shows earlier messages")
    }

    /// Shows the last messages after the screen was cleared.
    mutating func showAgain(_ messages: [Message]) {
        oldestSeq = nil
        show(page(messages.filter { $0.seq != nil }, numbersNotices: false))
    }

    mutating func showPinned(_ messages: [Message]) {
        guard !messages.isEmpty else { return notice("no message is pinned") }
        for message in messages { note(message) }
        show(messages.flatMap { renderer.lines($0, prefix: "\($0.seq ?? 0)  \(day.short($0.sentAtMs))  ") })
    }

    /// Handles a change of a message of this conversation.
    mutating func take(_ message: Message, _ update: MessageUpdate) {
        note(message)
        let what: Sentence = "message \(message.seq ?? 0)"
        switch update {
        case .reaction(let text?, let author):
            notice("\(renderer.person(author)) reacted to \(what) with \(own: SafeText.oneLine(text))")
        case .reaction(nil, let author): notice("\(renderer.person(author)) took back the reaction to \(what)")
        case .edited:
            notice("\(renderer.person(message.author)) edited \(what)")
            show(renderer.lines(message, prefix: isForPerson ? prefix(message) : ""))
        case .deleted: remove(message, saying: "\(renderer.person(message.author)) deleted \(what)")
        case .expired: remove(message, saying: "\(what) has expired")
        // A notice in the log already reports this change.
        case .pinned, .unpinned: break
        }
    }
}
