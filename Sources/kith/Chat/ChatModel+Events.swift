import KithClient
import KithWire

// Handles the opening of a conversation, and all events except messages.

extension ChatModel {
    // MARK: Opening

    mutating func showHistory() {
        let unread = opening.unread
        if isForPerson, conversation.unread > unread.count {
            notice("\(conversation.unread) messages are unread; the last ones are below, and /history shows the others")
        }
        for message in opening.history {
            let isUnread = (message.seq ?? 0) > conversation.readThrough
            if isForPerson, message.id == unread.first?.id { show([ScreenLine(.notice, "── unread ──")]) }
            // A program gets only unread messages.
            take(message, isShown: isForPerson || isUnread, isNew: false)
        }
        if !unread.isEmpty { request(.markRead(through: lastSeq)) }
    }

    func headers() -> [ScreenLine] {
        var lines: [ScreenLine] = []
        if let contact = conversation.contact.flatMap({ contacts[$0] }) {
            lines.append(ScreenLine(.notice, Self.trust(contact)))
            if contact.isBlocked {
                lines.append(ScreenLine(.notice, "[\(name: contact.name) is blocked; /unblock ends that]"))
            }
            if let conflict = Self.conflict(contact) { lines.append(conflict) }
        } else {
            let names = opening.members.filter { !$0.isMe }.map { member -> Sentence in
                "\(name: member.name) (\(member.trust.isVerified ? "verified" : "unverified"))"
            }
            // A list of more than 12 names is shortened.
            let listed = names.count > 12 ? names.prefix(10) + ["and \(names.count - 10) others"] : names[...]
            let everyone = ["you"] + listed
            lines.append(
                ScreenLine(.notice, "[group \(name: conversation.name): \(everyone.joined(separator: ", "))]"))
            lines += contacts.values.filter { contact in opening.members.contains { $0.contact == contact.id } }
                .compactMap(Self.conflict)
        }
        return lines + statusLines(conversation, was: nil)
    }

    /// Returns the reason to trust a contact's key. If the key is not verified, returns a sentence that says so.
    static func trust(_ contact: Contact) -> Sentence {
        let remedy: Sentence = contact.trust.isVerified ? "" : ". Compare numbers with /verify"
        return "[\(name: contact.name) is \(contact.trust.sentence)\(remedy)]"
    }

    private static func conflict(_ contact: Contact) -> ScreenLine? {
        guard let other = contact.conflictingKey else { return nil }
        let name: Sentence = "\(name: contact.name)"
        let keys: Sentence = "Known: \(contact.accountKey.fingerprint). Other: \(other.fingerprint)."
        return ScreenLine(
            .failure,
            "[WARNING: another key claims to be \(name)'s. Nothing is sent to \(name) until you decide. \(keys) Ask \(name) through another channel; then /accept \(name) or /keep \(name)]"
        )
    }

    private func statusLines(_ now: ConversationSummary, was: ConversationSummary?) -> [ScreenLine] {
        var lines: [ScreenLine] = []
        if now.status != was?.status {
            switch now.status {
            case .active:
                if was != nil { lines.append(ScreenLine(.notice, "[the conversation is active]")) }
            case .preparing: break
            case .removed, .replaced, .left, .stopped:
                lines.append(ScreenLine(.failure, "[\(now.status.sentence)]"))
            }
        }
        if now.isSuspect, was?.isSuspect != true {
            lines.append(
                ScreenLine(
                    .failure,
                    "[the relay showed different logs to different members; nothing is sent until you enter /continue]")
            )
        }
        return lines
    }

    // MARK: Events

    mutating func handle(_ event: KithEvent) {
        switch event {
        case .message(let message):
            if message.conversation == conversation.id {
                take(message, isShown: true, isNew: true)
            } else {
                reportElsewhere(message)
            }
        case .messageChanged(let message, let update):
            if message.conversation == conversation.id { take(message, update) }
        case .messagesChanged(let id): if id == conversation.id { clearScreen(saying: "messages have changed") }
        case .conversation(let summary):
            names[summary.id] = summary.name
            if summary.isMuted { muted.insert(summary.id) } else { muted.remove(summary.id) }
            guard summary.id == conversation.id else {
                return reportInvitation(summary)
            }
            show(statusLines(summary, was: conversation))
            conversation = summary
            renderer.memberCount = summary.memberCount
            reads.counts = summary.memberCount > 2
        case .contact(let contact):
            let before = contacts.updateValue(contact, forKey: contact.id)
            if contact.groupRequest != nil, before?.groupRequest == nil { notice(contact.requestSentence) }
            if before?.conflictingKey != contact.conflictingKey, let conflict = Self.conflict(contact) {
                show([conflict])
            }
        case .relay(let relay, let state):
            if relay.address == conversation.relay, relay.pin == conversation.relayPin { handle(state) }
        case .memberIsOnline(let id, let contact, let name, let log):
            if id == conversation.id { reportOnline(contact, name, log) }
        case .typing(let id, let members):
            if id == conversation.id, isForPerson { outputs.append(.typing(Self.typingForms(members.map(\.name)))) }
        case .inviteUsed(_, let id):
            if id != conversation.id, let line = strangers.line(forUseLeadingTo: names[id], at: now) { notice(line) }
        case .invitationPassedOver, .tooManyPending, .nameLost, .clock:
            if let sentence = event.sentence(naming: { names[$0] ?? "" }) { notice(sentence) }
        case .file(let id, let entry, let notice): if id == conversation.id { take(notice, about: entry) }
        case .warning(let id, let warning, let times):
            guard id == conversation.id else { return }
            if let entry = warning.unsentMessage { dropWaiting(entry) }
            show([renderer.warning(warning, times: times)])
        }
    }

    /// Reports a conversation that a stranger began. If strangers begin very many conversations, most of the conversations are
    /// only counted.
    private mutating func reportInvitation(_ summary: ConversationSummary) {
        if summary.isPending, let line = strangers.line(for: summary, at: now) { notice(line) }
    }

    private mutating func take(_ notice: FileNotice, about entry: EntryID) {
        if case .notSent = notice { waiting.removeAll { $0.id == entry } }
        switch notice {
        case .notSent, .leftOut, .notFetched: complain(notice.sentence)
        case .delayed, .restarted, .fetched: self.notice(notice.sentence)
        }
    }

    /// Removes a waiting text that will not be sent. The warning that follows says why.
    private mutating func dropWaiting(_ entry: EntryID) {
        guard let index = waiting.firstIndex(where: { $0.id == entry }) else { return }
        complain("not sent: \(quoted: waiting.remove(at: index).snippet)")
    }

    private mutating func reportOnline(_ contact: ContactID, _ name: String, _ log: LogComparison) {
        var isLagging = false
        if case .behind = log {
            let since = behindSince[contact] ?? now
            behindSince[contact] = since
            isLagging = now < since + Self.lagMs
        } else {
            behindSince[contact] = nil
        }
        let last = reportedOnlineAt[contact]
        if log == .same || isLagging, let last, last <= now, now < last + Self.presenceIntervalMs { return }
        reportedOnlineAt[contact] = now
        // In a group, several people may answer at once. One line reports all of them.
        if log == .same, isForPerson, !conversation.isDirect {
            if arrivals.isEmpty { outputs.append(.tellArrivals) }
            return arrivals.append("\(name: name)")
        }
        let comparison: Sentence = isLagging ? "is in the same group" : log.sentence
        notice("\(name: name) is online, proved by a signature, and \(comparison)")
    }

    /// Reports the members of a group who have proved within the last moment that they are online.
    mutating func tellArrivals() {
        defer { arrivals = [] }
        switch arrivals.count {
        case 0: break
        case 1: notice("\(arrivals[0]) is online, proved by a signature, and sees the same messages")
        case let count:
            let named = arrivals.count > 5 ? arrivals.prefix(4) + ["\(count - 4) others"] : arrivals[...]
            let names = "\(named.dropLast().joined(separator: ", ")) and \(named.last ?? "")" as Sentence
            notice("\(names) are online, proved by signatures, and see the same messages")
        }
    }

    /// Asks who is online, because the user wants to know it. Members who answer are reported even if they were reported a moment
    /// ago.
    mutating func checkPresence() {
        if let obstacle = conversation.obstacle { return complain("nobody can answer here: \(own: obstacle.sentence)") }
        reportedOnlineAt = [:]
        openPresenceChecks += 1
        request(.checkPresence)
        outputs.append(.awaitAnswers)
    }

    /// Reports that nobody has answered. A later answer is still reported.
    mutating func tellAbsence() {
        openPresenceChecks -= 1
        guard openPresenceChecks == 0, reportedOnlineAt.isEmpty else { return }
        let who: Sentence = conversation.isDirect ? "\(name: conversation.name) did not answer" : "nobody answered"
        let trouble: Sentence? = relayTrouble.map { "; the relay can't be asked: \(own: $0)" }
        notice("\(who)\(trouble ?? ", so nobody else seems to be online")")
    }

    /// Returns words about people who are typing, the longest form first.
    private static func typingForms(_ names: [String]) -> [String] {
        let all: Sentence
        switch names.count {
        case 0: return []
        case 1: all = "\(name: names[0]) is typing"
        case 2: all = "\(name: names[0]) and \(name: names[1]) are typing"
        case let count: all = "\(count) people are typing"
        }
        return ["[\(all)]", "[typing]"]
    }

    private mutating func reportElsewhere(_ message: Message) {
        guard isForPerson, case .contact(_, let author, _) = message.author, message.body.isSent else { return }
        let id = message.conversation
        if muted.contains(id) { return }
        if let last = reportedElsewhereAt[id], last <= now, now < last + Self.presenceIntervalMs { return }
        reportedElsewhereAt[id] = now
        let place: Sentence = names[id].flatMap { $0 == author ? nil : " in \(name: $0)" } ?? ""
        notice("\(name: author) wrote to you\(place)")
    }

    private mutating func handle(_ state: RelayState) {
        switch state {
        case .connected:
            if case .refused = relay { wasConnected = false }
            if !wasConnected { notice("connected to the relay at \(conversation.relay)") }
            wasConnected = true
        case .refused(let error):
            if relay != state { complain("the relay at \(conversation.relay) is refused: \(error.withRemedy)") }
        case .full:
            if relay != state { complain("\(conversation.relay): \(state.fullSentence); messages wait on this device") }
        case .waiting(let pause):
            // On a terminal, the status line already shows this state.
            if !isForPerson, case .waiting = relay {
            } else if !isForPerson {
                notice("no connection to the relay at \(conversation.relay): \(own: pause.reason); trying again")
            }
        case .connecting: break
        }
        // The shown reason of the last failure is kept during a new attempt.
        if case .connecting = state, relay?.isTrouble == true { return }
        relay = state
    }
}
