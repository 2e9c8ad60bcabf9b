import Foundation
import KithClient
import KithWire

/// A conversation on a screen: what happened and what was typed in, what to show and what to do out. Pure.
///
/// A screen that scrolls can't change what it has shown. So the user's own messages are shown when the relay has them, in
/// the order in which everyone sees them; until then they stand in the status above the input line.
struct ChatModel {
    /// What is known when a conversation is opened.
    struct Opening: Sendable {
        var me: String
        var conversation: ConversationSummary
        var members: [Member]
        var contacts: [Contact]
        /// The names of the profile's conversations.
        var names: [ConversationID: String]
        /// The last page, the oldest first, with what waits to be sent at its end.
        var history: [Message]

        /// What others said that was not marked as read.
        var unread: [Message] {
            history.filter { message in
                guard case .contact = message.author, let seq = message.seq else { return false }
                return seq > conversation.readThrough
            }
        }
    }

    /// What happens to it.
    enum Input: Sendable {
        case event(KithEvent)
        /// The user entered a line.
        case line(String)
        case answered(ChatCall, Result<ChatAnswer, KithError>)
    }

    /// What is to be done.
    enum Output: Equatable, Sendable {
        case show([ScreenLine])
        /// What stands above the input line from now on.
        case status(String?)
        case call(ChatCall)
        case quit
    }

    /// Something that the user is asked, and what a yes and a no lead to.
    struct Question {
        let text: String
        let yes: ChatCall
        var no: ChatCall?
    }

    /// A message as far as later ones refer to it.
    struct Known {
        let seq: UInt64?
        let snippet: String
    }

    /// Somebody who opens and closes the conversation again and again is announced so often.
    private static let presenceIntervalMs: UInt64 = 60_000
    /// So many waiting messages are named; the others are counted.
    private static let namedWaiting = 1

    /// Whether a person reads, and there is a status. Programs get what is said and nothing around it.
    let isForPerson: Bool
    /// Whether a person writes: lines that begin with a slash are commands. Of programs, every line is a text.
    let takesCommands: Bool
    var conversation: ConversationSummary
    var wording: MessageWording
    var contacts: [ContactID: Contact]
    var known: [EntryID: Known] = [:]
    var bySeq: [UInt64: EntryID] = [:]
    var lastFromOthers: EntryID?
    var oldestSeq: UInt64?
    var lastSeq: UInt64 = 0
    var expiresAfter: UInt32?
    var question: Question?
    var outputs: [Output] = []
    var day: ChatDay
    private(set) var now: UInt64 = 0

    private let opening: Opening
    private var names: [ConversationID: String]
    private var shown: Set<EntryID> = []
    private var waiting: [(id: EntryID, snippet: String)] = []
    private var lastOwn: (id: EntryID, readers: Int)?
    private var lastIsOwn = false
    private var relay: RelayState?
    private var wasConnected = false
    private var status: String?
    private var presentAt: [ContactID: UInt64] = [:]
    private var toldElsewhere: [ConversationID: UInt64] = [:]

    init(_ opening: Opening, isForPerson: Bool, takesCommands: Bool, timeZone: TimeZone = .current) {
        self.opening = opening
        self.isForPerson = isForPerson
        self.takesCommands = takesCommands
        conversation = opening.conversation
        wording = MessageWording(me: opening.me, memberCount: opening.conversation.memberCount)
        contacts = Dictionary(opening.contacts.map { ($0.id, $0) }) { $1 }
        names = opening.names
        day = ChatDay(timeZone: timeZone)
    }

    /// How many of the user's messages are not on the relay yet.
    var waitingCount: Int { waiting.count }

    /// Whether nobody has proved to be here.
    var isAlone: Bool { presentAt.isEmpty }

    /// What is said when the user leaves, if anything.
    var farewell: ScreenLine? {
        switch waiting.count {
        case 0: nil
        case 1: ScreenLine(.notice, "[1 message waits on this device, and goes out when Kith runs again]")
        case let count: ScreenLine(.notice, "[\(count) messages wait on this device, and go out when Kith runs again]")
        }
    }

    /// What to do first.
    mutating func open(now: UInt64) -> [Output] {
        self.now = now
        showHistory()
        show(headers())
        call(.checkPresence)
        return finish()
    }

    /// Takes what happened; returns what to do, in order.
    ///
    /// - Parameter now: milliseconds since 1970.
    mutating func handle(_ input: Input, now: UInt64) -> [Output] {
        self.now = now
        switch input {
        case .event(let event): handle(event)
        case .line(let line): handleLine(line)
        case .answered(let call, .success(let answer)): handle(answer, to: call)
        case .answered(let call, .failure(let error)): failed(call, error)
        }
        return finish()
    }

    private mutating func finish() -> [Output] {
        let status = isForPerson ? self.statusLine() : nil
        if status != self.status {
            self.status = status
            outputs.append(.status(status))
        }
        defer { outputs = [] }
        return outputs
    }

    mutating func show(_ lines: [ScreenLine]) { if !lines.isEmpty { outputs.append(.show(lines)) } }
    mutating func notice(_ text: String) { show([ScreenLine(.notice, "[\(text)]")]) }
    mutating func complain(_ text: String) { show([ScreenLine(.failure, "[\(text)]")]) }
    mutating func call(_ call: ChatCall) { outputs.append(.call(call)) }

    // MARK: Opening

    private mutating func showHistory() {
        let unread = opening.unread
        if isForPerson, conversation.unread > unread.count {
            notice("\(conversation.unread) are unread; the last are here, and /history shows earlier ones")
        }
        for message in opening.history {
            let isUnread = (message.seq ?? 0) > conversation.readThrough
            if isForPerson, message.id == unread.first?.id { show([ScreenLine(.notice, "── unread ──")]) }
            // A program gets what is new to it.
            take(message, isShown: isForPerson || isUnread, isNew: false)
        }
        if !unread.isEmpty { call(.markRead(through: lastSeq)) }
    }

    private func headers() -> [ScreenLine] {
        var lines: [ScreenLine] = []
        if let contact = conversation.contact.flatMap({ contacts[$0] }) {
            lines.append(ScreenLine(.notice, Self.trust(contact)))
            if let conflict = Self.conflict(contact) { lines.append(conflict) }
        } else {
            let names = opening.members.filter { $0.contact != nil }.map { member in
                "\(MessageWording.name(member.name)) (\(member.trust.isVerified ? "verified" : "unverified"))"
            }
            // Hundreds of names help nobody.
            let listed = names.count > 12 ? names.prefix(10) + ["and \(names.count - 10) others"] : names[...]
            lines.append(
                ScreenLine(
                    .notice,
                    "[group \(MessageWording.name(conversation.name)): you\(listed.map { ", \($0)" }.joined())]"))
            lines += contacts.values.filter { contact in opening.members.contains { $0.contact == contact.id } }
                .compactMap(Self.conflict)
        }
        return lines + statusLines(conversation, was: nil)
    }

    /// Why a contact is believed to be who they are.
    static func trust(_ contact: Contact) -> String {
        let name = MessageWording.name(contact.name)
        return switch contact.trust {
        case .unverified:
            "[\(name) is unverified: that this is \(name) is what a relay or a member of a group says. Compare numbers "
                + "with /verify]"
        case .usedMyInvite: "[\(name) is verified: they used the invite that you gave to one person]"
        case .invite: "[\(name) is verified: the key came in their invite]"
        case .compared: "[\(name) is verified: you compared safety numbers]"
        }
    }

    private static func conflict(_ contact: Contact) -> ScreenLine? {
        guard let other = contact.conflictingKey else { return nil }
        let name = MessageWording.name(contact.name)
        return ScreenLine(
            .failure,
            "[WARNING: another key claims to be \(name)'s. Nothing is sent to \(name) until you decide. Known: "
                + "\(contact.accountKey.fingerprint). Other: \(other.fingerprint). Ask \(name) on another way; then "
                + "/accept \(name) or /keep \(name)]")
    }

    private func statusLines(_ now: ConversationSummary, was: ConversationSummary?) -> [ScreenLine] {
        var lines: [ScreenLine] = []
        if now.status != was?.status {
            switch now.status {
            case .active:
                if was != nil { lines.append(ScreenLine(.notice, "[the conversation works]")) }
            case .preparing: break
            case .removed, .left, .stopped:
                lines.append(ScreenLine(.failure, "[\(MessageWording.name(now.name)): \(now.status.sentence)]"))
            }
        }
        if now.isSuspect, was?.isSuspect != true {
            lines.append(
                ScreenLine(
                    .failure,
                    "[the relay showed different logs to different members: nothing is sent until you say /continue]"))
        }
        return lines
    }

    // MARK: Events

    private mutating func handle(_ event: KithEvent) {
        switch event {
        case .message(let message):
            if message.conversation == conversation.id {
                take(message, isShown: true, isNew: true)
            } else {
                elsewhere(message)
            }
        case .conversation(let summary):
            names[summary.id] = summary.name
            guard summary.id == conversation.id else { return }
            show(statusLines(summary, was: conversation))
            conversation = summary
            wording.memberCount = summary.memberCount
        case .contact(let contact):
            let before = contacts.updateValue(contact, forKey: contact.id)
            if before?.conflictingKey != contact.conflictingKey, let conflict = Self.conflict(contact) {
                show([conflict])
            }
        case .relay(let address, let state): if address == conversation.relay { handle(state) }
        case .present(let id, let contact, let name): if id == conversation.id { present(contact, name) }
        case .inviteUsed(_, let id):
            if id != conversation.id {
                notice("an invite of yours was used\(names[id].map { ": kith chat \(MessageWording.name($0))" } ?? "")")
            }
        case .invitationPassedOver(let relay): notice(relay.invitationSentence)
        case .clock(let difference): notice(difference.sentence)
        case .warning(let id, let warning):
            guard id == conversation.id else { return }
            show([ScreenLine(.failure, MessageWording.text(warning))])
        // Whoever carries the events reads again.
        case .missed: break
        }
    }

    private mutating func present(_ contact: ContactID, _ name: String) {
        if let last = presentAt[contact], last <= now, now < last + Self.presenceIntervalMs { return }
        presentAt[contact] = now
        notice("nonce verified: \(MessageWording.name(name)) is here, and sees the same group")
    }

    private mutating func elsewhere(_ message: Message) {
        guard isForPerson, case .contact(_, let name, _) = message.author, case .text = message.body else { return }
        let id = message.conversation
        if let last = toldElsewhere[id], last <= now, now < last + Self.presenceIntervalMs { return }
        toldElsewhere[id] = now
        let place = names[id].flatMap { $0 == name ? nil : " in \(MessageWording.name($0))" } ?? ""
        notice("\(MessageWording.name(name)) wrote to you\(place)")
    }

    private mutating func handle(_ state: RelayState) {
        switch state {
        case .connected:
            if !wasConnected { notice("connected to the relay at \(conversation.relay)") }
            wasConnected = true
        case .refused(let error):
            if relay != state { complain("the relay at \(conversation.relay) is refused: \(error)") }
        case .waiting(let reason, _):
            // On a terminal the status says so.
            if !isForPerson, case .waiting = relay {
            } else if !isForPerson {
                notice("no connection to the relay at \(conversation.relay): \(reason); trying again")
            }
        case .connecting: break
        }
        // A try that begins is no news to somebody who reads why the last one failed.
        if case .connecting = state, case .waiting = relay { return }
        relay = state
    }

    // MARK: Messages

    /// A message that is new, or that has come further.
    mutating func take(_ message: Message, isShown: Bool, isNew: Bool) {
        if message.author == .me, case .text = message.body { return takeOwn(message, isShown: isShown) }
        guard shown.insert(message.id).inserted else { return }
        remember(message)
        if case .contact = message.author { lastFromOthers = message.id }
        lastIsOwn = false
        if isShown { print(message) }
        if isNew, let seq = message.seq { call(.markRead(through: seq)) }
    }

    private mutating func takeOwn(_ message: Message, isShown: Bool) {
        guard message.seq != nil else {
            let isNew = !shown.contains(message.id) && !waiting.contains { $0.id == message.id }
            if isNew { waiting.append((message.id, wording.snippet(message))) }
            return
        }
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

    /// One small line for the first who has read it, and one for the last.
    private mutating func showReceipt(_ message: Message, readers: Int, before: Int) {
        let others = max(1, conversation.memberCount - 1)
        guard isForPerson, before == 0 || readers >= others else { return }
        let who =
            if others == 1 {
                "\(MessageWording.name(conversation.name)) has"
            } else if readers >= others {
                "everyone has"
            } else {
                readers == 1 ? "1 of \(others) has" : "\(readers) of \(others) have"
            }
        let what = lastIsOwn ? "up to here" : "“\(wording.snippet(message))”"
        show([ScreenLine(.explanation, "[\(who) read \(what)]")])
    }

    private mutating func print(_ message: Message) {
        var lines = wording.lines(message, quoting: message.replyTo.flatMap { known[$0]?.snippet })
        guard !lines.isEmpty else { return }
        if isForPerson, let line = day.line(before: message.sentAtMs, now: now) {
            lines.insert(ScreenLine(.explanation, line), at: 0)
        }
        show(lines)
    }

    /// Keeps what later messages and commands may refer to.
    mutating func remember(_ message: Message) {
        known[message.id] = Known(seq: message.seq, snippet: wording.snippet(message))
        guard let seq = message.seq else { return }
        bySeq[seq] = message.id
        lastSeq = max(lastSeq, seq)
        oldestSeq = min(oldestSeq ?? seq, seq)
    }

    // MARK: Status

    private func statusLine() -> String? {
        var parts: [String] = []
        if let question { parts.append(question.text) }
        if let first = waiting.first {
            let more = waiting.count > Self.namedWaiting ? " and \(waiting.count - Self.namedWaiting) more" : ""
            let isMoving = relay == .connected || relay == nil
            parts.append("\(isMoving ? "sending" : "waiting"): “\(first.snippet)”\(more)")
        }
        switch relay {
        case nil, .connected: break
        case .connecting: parts.append("connecting to \(conversation.relay)")
        case .waiting(let reason, _): parts.append("\(reason); trying again")
        case .refused: parts.append("the relay is refused")
        }
        if conversation.status == .preparing { parts.append("not ready yet") }
        if let expiresAfter { parts.append("your messages expire after \(Self.duration(expiresAfter))") }
        return parts.isEmpty ? nil : "[\(parts.joined(separator: " · "))]"
    }

    /// A number of seconds in the largest unit that fits.
    static func duration(_ seconds: UInt32) -> String {
        for (unit, name) in [(86_400, "day"), (3_600, "hour"), (60, "minute")] as [(UInt32, String)]
        where seconds % unit == 0 {
            return "\(seconds / unit) \(name)\(seconds == unit ? "" : "s")"
        }
        return "\(seconds) second\(seconds == 1 ? "" : "s")"
    }
}
