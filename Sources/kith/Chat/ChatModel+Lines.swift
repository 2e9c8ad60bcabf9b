import KithClient

// Handles the lines that the user enters, and the answers to the resulting requests.

extension ChatModel {
    /// Number of earlier messages that `/history` without a number shows.
    static let page = 50

    mutating func handleLine(_ line: String) {
        guard takesCommands else {
            if !line.isEmpty { send(line, replyTo: nil) }
            return
        }
        let wasRefused = commandWasRefused
        commandWasRefused = false
        switch SlashCommand.parse(line) {
        case .nothing: if question != nil { postpone() }
        case .text(let text):
            if let question {
                answer(question, text)
            } else if wasRefused, YesOrNo(text) != nil {
                // The user meant to answer a question, not to write to the other members.
                complain("there is no question to answer; enter it again to send it as a message")
            } else {
                send(text, replyTo: nil)
            }
        // A command does not answer the open question.
        case .command(let command):
            let before = outputs.count
            carryOut(command)
            commandWasRefused = outputs[before...].contains(where: \.isComplaint)
        case .mistake(let text):
            complain(text)
            commandWasRefused = true
        }
    }

    private mutating func send(_ text: String, replyTo: UInt64?) {
        request(.send(text, replyTo: replyTo.flatMap { bySeq[$0] }, expiresAfter: expiresAfter))
    }

    /// Handles a line while a question is open. Accepts only yes and no as answers. A line with any other text is not sent, and
    /// the question stays open.
    private mutating func answer(_ question: Question, _ text: String) {
        guard let decision = YesOrNo(text) else {
            return complain("please answer yes or no, or press Enter to decide later; nothing was sent")
        }
        self.question = nil
        switch (decision, question.no) {
        case (.yes, _): request(question.yes)
        case (.no, .request(let no)): request(no)
        case (.no, .notice(let sentence)): notice(sentence)
        }
    }

    private mutating func postpone() {
        question = nil
        notice("nothing was changed")
    }

    private mutating func carryOut(_ command: SlashCommand) {
        switch command {
        case .help: show(SlashCommand.helpLines.map { ScreenLine(.notice, $0) })
        case .verify(let name): if let contact = contact(name) { request(.safetyNumber(contact.id)) }
        case .members: request(.members)
        case .add(let names): add(names)
        case .remove(let name): remove(name)
        case .rename(let title): request(.rename(title))
        case .leave:
            ask(
                "leave \(name: conversation.name) for good?", yes: .leave,
                no: .notice("you did not leave; /leave asks again"))
        case .invite: request(.invite)
        case .history(let count): request(.history(before: oldestSeq, limit: count ?? Self.page))
        case .search(let words): search(words)
        case .file(let paths): request(.sendFiles(paths, expiresAfter: expiresAfter))
        case .files: request(.files)
        case .get(let number): get(number)
        case .reply(let number, let text): reply(number, text)
        case .change(let number, let change): self.change(number, change)
        case .pins: request(.pinned)
        case .timer(let seconds): request(.setTimer(seconds))
        case .expire(let seconds): expire(seconds)
        case .info: info()
        case .explain(let number): explain(number)
        case .here: checkPresence()
        case .accept(let name): decide(name, accept: true)
        case .keep(let name): decide(name, accept: false)
        case .block(let name): if let contact = contact(name) { request(.setBlocked(contact.id, true)) }
        case .unblock(let name): if let contact = contact(name) { request(.setBlocked(contact.id, false)) }
        case .continueDespiteWarning: continueDespiteWarning()
        case .quit: outputs.append(.quit)
        }
    }

    mutating func ask(_ text: Sentence, yes: ChatRequest, no: Question.No) {
        notice("\(text) yes or no")
        question = Question(text: "\(text) yes or no", yes: yes, no: no)
    }

    /// Returns the contact with a name. Without a name, returns the other person of a conversation of two. If there is no such
    /// contact, shows an error and returns `nil`.
    private mutating func contact(_ name: String?) -> Contact? {
        guard let name else {
            if let contact = conversation.contact.flatMap({ contacts[$0] }) { return contact }
            complain("this is a group; add a member's name to the command")
            return nil
        }
        if let found = named(name) { return found }
        if ForeignText(renderer.me).isShown(as: name) {
            complain("that is you; /leave ends the conversation for you")
        } else {
            complain("there is no contact \(name: name)\(suggestion(for: name))")
        }
        return nil
    }

    private func named(_ name: String) -> Contact? {
        contacts.values.first { $0.name == name }
            ?? contacts.values.first { $0.name.lowercased() == name.lowercased() }
            ?? contacts.values.first { ForeignText($0.name).isShown(as: name) }
    }

    /// Returns a question for the end of an error message: whether the user meant a contact with a similar name. The result is
    /// empty if no contact has a similar name.
    private func suggestion(for name: String) -> Sentence {
        let near = NamedTarget.near(name, among: contacts.values.map(\.name))
        guard !near.isEmpty else { return "" }
        return "; did you mean \(near.map { "\(name: $0)" as Sentence }.joined(separator: " or "))?"
    }

    /// Adds several contacts, or one contact whose name may contain spaces.
    private mutating func add(_ names: String) {
        if let contact = named(names) { return request(.add([contact.id])) }
        var found: [ContactID] = []
        for name in SlashCommand.names(names) {
            guard let contact = named(name) else {
                let suggestion = suggestion(for: name)
                let end: Sentence = suggestion == "" ? "." : suggestion
                return complain(
                    "there is no contact \(name: name); nobody was added\(end) /invite makes an invite; kith lookup finds a name at a relay"
                )
            }
            found.append(contact.id)
        }
        request(.add(found))
    }

    private mutating func reply(_ number: MessageNumber?, _ text: String) {
        if let number {
            guard let seq = seq(number) else { return }
            guard bySeq[seq] != nil else {
                return complain(
                    "there is no message \(seq) on this screen; /history shows earlier ones with their numbers")
            }
            return send(text, replyTo: seq)
        }
        guard let last = lastFromOthers.flatMap({ known[$0]?.seq }) else {
            return complain(
                "there is nothing to reply to on this screen; /history shows earlier messages with their numbers")
        }
        send(text, replyTo: last)
    }

    private mutating func expire(_ seconds: UInt32?) {
        expiresAfter = seconds
        if seconds == nil { notice("your messages no longer expire") }
    }

    /// Removes a member after asking the user. The other members notice a removal even if the user undoes the removal.
    private mutating func remove(_ name: String) {
        guard !conversation.isDirect else {
            return complain("nobody can be removed from a conversation of two; /leave ends it")
        }
        guard let contact = contact(name) else { return }
        ask(
            "remove \(name: contact.name) from \(name: conversation.name)?", yes: .remove(contact.id),
            no: .notice("\(name: contact.name) was not removed; /remove \(name: contact.name) asks again"))
    }

    private mutating func info() {
        let state = conversation.status.sentence
        let lines: [Sentence] = [
            "[\(name: conversation.name): conversation \(conversation.id.rawValue), \(own: counted(conversation.memberCount, "member")), \(own: counted(conversation.lastSeq, "entry", "entries")) in its log]",
            "[it is at the relay \(conversation.relay), which sees sizes and times, but no words and no names]",
            "[\(state)]",
        ]
        show(lines.map { ScreenLine(.notice, $0) })
    }

    private mutating func decide(_ name: String?, accept: Bool) {
        guard let contact = contact(name) else { return }
        let shown: Sentence = "\(name: contact.name)"
        guard let other = contact.conflictingKey else {
            return complain("\(shown) has one key; there is nothing to decide")
        }
        if accept {
            ask(
                "take \(other.fingerprint) as \(shown)'s key from now on? Say yes only if \(shown) confirmed it.",
                yes: .decideKey(contact.id, accept: true),
                no: .notice(
                    "the new key was not accepted, and nothing is sent to \(shown) until you decide: /accept \(shown) or /keep \(shown)"
                ))
        } else {
            request(.decideKey(contact.id, accept: false))
        }
    }

    private mutating func continueDespiteWarning() {
        guard conversation.isSuspect else { return complain("there is nothing to decide: sending works") }
        ask(
            "send again although the relay showed different logs?", yes: .trustLog,
            no: .notice("nothing is sent; /continue asks again"))
    }

    // MARK: Answers

    mutating func failed(_ request: ChatRequest, _ error: KithError) {
        switch request {
        // The program itself makes these requests, so their failures are not shown.
        case .markRead, .checkPresence: break
        case .explain(let seq) where error.isNotFound:
            complain("this device has no entry \(seq) here; /history shows the numbers")
        default: complain("\(request.attempt): \(own: error.sentence)")
        }
    }

    mutating func handle(_ answer: ChatAnswer, to request: ChatRequest) {
        switch answer {
        case .done: done(request)
        case .sent(let id):
            if case .send(let text, _, _) = request { wait(for: id, snippet: MessageRenderer.snippet(text)) }
        case .messages(let messages):
            switch request {
            case .search: showFound(messages)
            case .history(let before, let limit): showEarlier(messages, before: before, limit: limit)
            case .pinned: showPinned(messages)
            case .lastPage: showAgain(messages)
            default: break
            }
        case .sentFiles(let id, let names): wait(for: id, snippet: names.joined(separator: ", "))
        case .files(let listed, let moving): show(listed, moving)
        case .saved(let paths): for path in paths { notice("saved: \(quoted: path)") }
        case .members(let members): show(members)
        case .sentences(let sentences): show(sentences.map { ScreenLine(.explanation, "  \($0)") })
        case .safetyNumber(let number): if case .safetyNumber(let id) = request { compare(number, id) }
        case .invite(let line):
            notice(
                "an invite, for one person and a week. Send it through a channel you trust: anybody who has it can use it"
            )
            show([ScreenLine(.message, "\(own: line)")])
        }
    }

    /// The reasons why two people may see different safety numbers.
    private static let doubt: Sentence =
        "If the numbers differ, somebody may stand between you, or one of you read the wrong ones"

    private mutating func done(_ request: ChatRequest) {
        switch request {
        case .setVerified(let id, let isVerified):
            let name: Sentence = contacts[id].map { "\(name: $0.name)" } ?? "this contact"
            notice(
                isVerified
                    ? "\(name) is verified"
                    : "\(name) is unverified now. \(Self.doubt)"
            )
        case .decideKey(_, let accept):
            notice(accept ? "the new key is accepted; it is unverified" : "the known key is kept")
        case .setBlocked(let id, let isBlocked):
            let name: Sentence = contacts[id].map { "\(name: $0.name)" } ?? "this contact"
            notice(
                isBlocked
                    ? "\(name) is blocked; messages and invitations from \(name) are dropped. /unblock ends that"
                    : "\(name) is not blocked any more")
        case .trustLog: notice("sending works again")
        case .leave:
            notice("you left")
            outputs.append(.quit)
        default: break
        }
    }

    /// Shows earlier messages and notices, each with its number. If no earlier messages exist, shows the last page again.
    private mutating func showEarlier(_ page: [Message], before: UInt64?, limit: Int) {
        let messages = page.filter { $0.seq != nil }
        guard let first = messages.first?.seq else {
            if before == nil { return notice("there are no messages yet") }
            return request(.history(before: nil, limit: limit))
        }
        var lines = self.page(messages, numbersNotices: true)
        if before == nil {
            lines.insert(ScreenLine(.notice, "── this was the beginning; the last \(messages.count) again ──"), at: 0)
        } else {
            lines.insert(ScreenLine(.notice, "── earlier ──"), at: 0)
            lines.append(ScreenLine(.notice, first > 1 ? "── /history: more ──" : "── the beginning ──"))
        }
        show(lines)
    }

    private mutating func show(_ members: [Member]) {
        show(members.map { ScreenLine(.notice, Self.line($0)) })
    }

    private static func line(_ member: Member) -> Sentence {
        let who: Sentence = "\(name: member.name) on \(quoted: member.deviceName)"
        return member.isMe ? "\(who) is you" : "\(who) is \(member.trust.sentence)"
    }

    private mutating func compare(_ number: SafetyNumber, _ id: ContactID) {
        let name: Sentence = contacts[id].map { "\(name: $0.name)" } ?? "them"
        notice("read this to \(name), over the phone or face to face; \(name) sees the same with /verify")
        let groups = number.groups
        for start in stride(from: 0, to: groups.count, by: 4) {
            let row = groups[start..<min(start + 4, groups.count)].joined(separator: "  ")
            show([ScreenLine(.message, "    \(own: row)")])
        }
        let wasCompared = contacts[id]?.trust == .compared
        ask(
            "are they the same?", yes: .setVerified(id, true),
            no: wasCompared
                ? .request(.setVerified(id, false))
                : .notice("\(name) was not marked as compared. \(Self.doubt); /verify \(name) shows them again"))
    }
}
