import KithClient

// What the user enters, and what comes of it.

extension ChatModel {
    /// So many earlier messages come with `/history`.
    static let page = 50

    mutating func handleLine(_ line: String) {
        guard takesCommands else {
            if !line.isEmpty { send(line, replyTo: nil) }
            return
        }
        if let question {
            self.question = nil
            return answer(question, line)
        }
        switch SlashCommand.line(line) {
        case .nothing: break
        case .text(let text): send(text, replyTo: nil)
        case .command(let command): carryOut(command)
        case .mistake(let text): complain(text)
        }
    }

    private mutating func send(_ text: String, replyTo: UInt64?) {
        call(.send(text, replyTo: replyTo.flatMap { bySeq[$0] }, expiresAfter: expiresAfter))
    }

    /// Anything but a yes is a no: a line that was meant as a message must not be taken for one, nor be sent unseen.
    private mutating func answer(_ question: Question, _ line: String) {
        switch line.lowercased().filter({ !$0.isWhitespace }) {
        case "yes", "y": call(question.yes)
        case "no", "n": if let no = question.no { call(no) } else { notice("not done") }
        default:
            complain("that was neither yes nor no, so it is no, and nothing was sent (arrow up brings the line back)")
        }
    }

    private mutating func carryOut(_ command: SlashCommand) {
        switch command {
        case .help: show(SlashCommand.helpLines.map { ScreenLine(.notice, $0) })
        case .verify(let name): if let contact = contact(name) { call(.safetyNumber(contact.id)) }
        case .members: call(.members)
        case .add(let names): add(names)
        case .remove(let name): if let contact = contact(name) { call(.remove(contact.id)) }
        case .rename(let title): call(.rename(title))
        case .leave: ask("leave \(MessageWording.name(conversation.name)) for good?", yes: .leave)
        case .invite: call(.invite)
        case .history(let count): call(.history(before: oldestSeq, limit: count ?? Self.page))
        case .search(let words): call(.search(words))
        case .reply(let seq, let text): reply(seq, text)
        case .expire(let seconds): expire(seconds)
        case .info: info()
        case .explain(let seq): explain(seq)
        case .here: call(.checkPresence)
        case .accept(let name): decide(name, accept: true)
        case .keep(let name): decide(name, accept: false)
        case .goOn: goOn()
        case .quit: outputs.append(.quit)
        }
    }

    private mutating func ask(_ text: String, yes: ChatCall, no: ChatCall? = nil) {
        question = Question(text: "\(text) yes or no", yes: yes, no: no)
        notice("\(text) yes or no")
    }

    /// The contact with a name; without one, the other person of a conversation of two.
    private mutating func contact(_ name: String?) -> Contact? {
        guard let name else {
            if let contact = conversation.contact.flatMap({ contacts[$0] }) { return contact }
            complain("whom? This is a group, so a name is needed")
            return nil
        }
        let found = named(name)
        if found == nil { complain("there is no contact \(MessageWording.name(name))") }
        return found
    }

    private func named(_ name: String) -> Contact? {
        contacts.values.first { $0.name == name }
            ?? contacts.values.first { $0.name.lowercased() == name.lowercased() }
    }

    /// One name, which may have spaces in it, or several.
    private mutating func add(_ names: String) {
        if let contact = named(names) { return call(.add([contact.id])) }
        var found: [ContactID] = []
        for name in names.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            guard let contact = named(String(name)) else {
                return complain(
                    "there is no contact \(MessageWording.name(String(name))); nobody was added. /invite makes an "
                        + "invite for somebody new")
            }
            found.append(contact.id)
        }
        call(.add(found))
    }

    private mutating func reply(_ seq: UInt64?, _ text: String) {
        if let seq {
            guard bySeq[seq] != nil else {
                return complain("message \(seq) was not shown here; /history shows earlier ones")
            }
            return send(text, replyTo: seq)
        }
        guard let last = lastFromOthers.flatMap({ known[$0]?.seq }) else {
            return complain("there is nothing to answer")
        }
        send(text, replyTo: last)
    }

    private mutating func expire(_ seconds: UInt32?) {
        expiresAfter = seconds
        if seconds == nil { notice("what you send from now on stays") }
    }

    private mutating func info() {
        let state = conversation.status.sentence
        show(
            [
                "[\(MessageWording.name(conversation.name)): conversation \(conversation.id.rawValue), "
                    + "\(conversation.memberCount) members, \(conversation.lastSeq) entries in its log]",
                "[it is at the relay \(conversation.relay), which sees sizes and times, and no words and no names]",
                "[\(state)]",
            ].map { ScreenLine(.notice, $0) })
    }

    private mutating func explain(_ seq: UInt64?) {
        guard let seq = seq ?? (lastSeq > 0 ? lastSeq : nil) else { return complain("nothing was said yet") }
        call(.explain(seq))
    }

    private mutating func decide(_ name: String?, accept: Bool) {
        guard let contact = contact(name) else { return }
        guard let other = contact.conflictingKey else {
            return complain("\(MessageWording.name(contact.name)) has one key; there is nothing to decide")
        }
        let shown = MessageWording.name(contact.name)
        if accept {
            ask(
                "take \(other.fingerprint) as \(shown)'s key from now on? Only if \(shown) told you so.",
                yes: .decideKey(contact.id, accept: true))
        } else {
            call(.decideKey(contact.id, accept: false))
        }
    }

    private mutating func goOn() {
        guard conversation.isSuspect else { return complain("there is nothing to decide: sending works") }
        ask("send again although the relay showed different logs?", yes: .trustLog)
    }

    // MARK: Answers

    mutating func failed(_ call: ChatCall, _ error: KithError) {
        switch call {
        // Nobody asked for these in so many words.
        case .markRead, .checkPresence: break
        default: complain("\(call.attempt): \(error.sentence)")
        }
    }

    mutating func handle(_ answer: ChatAnswer, to call: ChatCall) {
        switch answer {
        case .done: done(call)
        // What becomes of it comes as events.
        case .message(let message): take(message, isShown: true, isNew: true)
        case .messages(let messages):
            if case .search(let words) = call { showFound(messages, words) } else { showEarlier(messages) }
        case .members(let members): show(members)
        case .sentences(let sentences): show(sentences.map { ScreenLine(.explanation, "  \($0)") })
        case .safetyNumber(let number): if case .safetyNumber(let id) = call { compare(number, id) }
        case .invite(let line):
            notice("an invite, for one person and a week. Send it on a way that you trust: whoever has it can use it")
            show([ScreenLine(.message, line)])
        }
    }

    private mutating func done(_ call: ChatCall) {
        switch call {
        case .setVerified(let id, let isVerified):
            let name = contacts[id].map { MessageWording.name($0.name) } ?? "this contact"
            notice(
                isVerified
                    ? "\(name) is verified"
                    : "\(name) is unverified now. Numbers that differ mean that somebody stands between you, or that one of you reads another's"
            )
        case .decideKey(_, let accept):
            notice(accept ? "the new key is taken; it is unverified" : "the known key is kept")
        case .trustLog: notice("sending works again")
        case .leave:
            notice("you left")
            outputs.append(.quit)
        default: break
        }
    }

    private mutating func showEarlier(_ messages: [Message]) {
        guard let first = messages.first else { return notice("there is nothing earlier") }
        var earlier = ChatDay(timeZone: day.timeZone)
        var lines = [ScreenLine(.notice, "── earlier ──")]
        for message in messages {
            remember(message)
            let shown = wording.lines(
                message, prefix: message.seq.map { "\($0)  " } ?? "",
                quoting: message.replyTo.flatMap { known[$0]?.snippet })
            if !shown.isEmpty, let line = earlier.line(before: message.sentAtMs, now: now) {
                lines.append(ScreenLine(.explanation, line))
            }
            lines += shown
        }
        lines.append(
            ScreenLine(.notice, first.seq.map { $0 > 1 } == true ? "── /history: more ──" : "── the beginning ──"))
        show(lines)
    }

    private mutating func showFound(_ messages: [Message], _ words: String) {
        guard !messages.isEmpty else { return notice("no message has “\(words)” in it") }
        var lines: [ScreenLine] = []
        // The newest is nearest to the input line.
        for message in messages.reversed() {
            known[message.id] = Known(seq: message.seq, snippet: wording.snippet(message))
            if let seq = message.seq { bySeq[seq] = message.id }
            let number = message.seq.map { "\($0)  " } ?? ""
            lines += wording.lines(message, prefix: "\(number)\(day.short(message.sentAtMs))  ")
        }
        lines.append(ScreenLine(.notice, "── \(messages.count) found ──"))
        show(lines)
    }

    private mutating func show(_ members: [Member]) {
        show(
            members.map { member in
                let device = " on “\(SafeText.oneLine(member.deviceName))”"
                guard member.contact != nil else {
                    return ScreenLine(.notice, "\(MessageWording.name(member.name)): you\(device)")
                }
                let trust =
                    switch member.trust {
                    case .unverified: "unverified"
                    case .usedMyInvite: "verified: used your invite"
                    case .invite: "verified: came with an invite"
                    case .compared: "verified: you compared numbers"
                    }
                return ScreenLine(.notice, "\(MessageWording.name(member.name)): \(trust)\(device)")
            })
    }

    private mutating func compare(_ number: SafetyNumber, _ id: ContactID) {
        let name = contacts[id].map { MessageWording.name($0.name) } ?? "them"
        notice("read this to \(name), over the phone or face to face; \(name) sees the same with /verify")
        let groups = number.groups
        for start in stride(from: 0, to: groups.count, by: 4) {
            let row = groups[start..<min(start + 4, groups.count)].joined(separator: "  ")
            show([ScreenLine(.message, "    \(row)")])
        }
        let wasCompared = contacts[id]?.trust == .compared
        ask("are they the same?", yes: .setVerified(id, true), no: wasCompared ? .setVerified(id, false) : nil)
    }
}
