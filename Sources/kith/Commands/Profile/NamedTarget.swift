import Foundation
import KithClient
import KithWire

/// The conversation or contact with a name from the command line.
enum NamedTarget: Hashable, Sendable {
    /// An existing conversation.
    case conversation(ConversationSummary)
    /// A contact with whom there is no usable conversation of two.
    case contact(Contact)

    /// Finds the conversation or contact with a name. An exact match takes precedence over a match that differs in upper and
    /// lower case. `#3` is conversation number 3.
    ///
    /// - Throws: ``Failure`` with similar names if nothing has the name. If several conversations or contacts have the name,
    ///   ``Failure`` with a list of them.
    static func named(_ name: String, in profile: Profile) async throws -> NamedTarget {
        let found = try await catchingUp(profile) {
            try find(name, conversations: try await profile.conversations(), contacts: await profile.contacts())
        }
        if let found { return found }
        return try named(name, conversations: try await profile.conversations(), contacts: await profile.contacts())
    }

    /// Maximum time to wait for the entries that arrived at the relays while the profile was closed.
    private static let catchingUp = Duration.seconds(3)

    /// Searches for a name. If the name is unknown, searches again for a few seconds: the person with that name may have joined
    /// while the profile was closed.
    private static func catchingUp<R>(_ profile: Profile, _ find: () async throws -> R?) async throws -> R? {
        let end = ContinuousClock.now + catchingUp
        let mayCome = await profile.isReceiving
        while true {
            if let found = try await find() { return found }
            guard mayCome, ContinuousClock.now < end else { return nil }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Finds the target of a name among the given conversations and contacts.
    static func named(
        _ name: String, conversations: [ConversationSummary], contacts: [Contact]
    ) throws -> NamedTarget {
        if let target = try find(name, conversations: conversations, contacts: contacts) { return target }
        throw Failure(unknown(name, among: conversations.map(\.name) + contacts.map(\.name)))
    }

    /// Finds the target of a name among the given conversations and contacts; `nil` if there is none.
    static func find(
        _ name: String, conversations: [ConversationSummary], contacts: [Contact]
    ) throws -> NamedTarget? {
        if let number = number(name) {
            guard let conversation = conversations.first(where: { $0.id.rawValue == number }) else {
                throw Failure("there is no conversation \(own: name)")
            }
            return .conversation(conversation)
        }
        for isMeant in meanings(of: name) {
            let found = conversations.filter { isMeant($0.name) }
            // A conversation that accepts no messages is chosen only if no conversation with this name accepts messages.
            let usable = found.filter(\.isUsable)
            let candidates = newest(usable.isEmpty ? found : usable)
            if candidates.count > 1 { throw ambiguous(name, candidates) }
            let contact = contacts.first { isMeant($0.name) }
            // The members of a group choose the group's name, so they could use a contact's name. A text that is meant for a
            // contact must not go to a group.
            if let contact, let group = candidates.first, !group.isDirect {
                throw Failure(
                    "\(name: contact.name) is a contact and a group; write \(own: group.reference) for the group, or rename the contact (kith contacts rename)"
                )
            }
            if let conversation = candidates.first, conversation.isUsable || contact == nil {
                return .conversation(conversation)
            }
            if let contact { return .contact(contact) }
        }
        return nil
    }

    /// Leaves out each conversation of two for which a newer conversation of two with the same person exists. A person who has
    /// invited this profile to another relay talks only in the newer conversation.
    private static func newest(_ conversations: [ConversationSummary]) -> [ConversationSummary] {
        conversations.filter { one in
            !one.isDirect || one.contact == nil
                || !conversations.contains { $0.isDirect && $0.contact == one.contact && $0.id > one.id }
        }
    }

    /// Finds the contact with a name. `#3` is the other person of conversation number 3.
    static func contact(_ name: String, in profile: Profile) async throws -> Contact {
        if let number = number(name) { return try await contact(ofConversation: number, in: profile) }
        if let found = try contact(name, among: await profile.contacts()) { return found }
        if ForeignText(await profile.identity().name).isShown(as: name) {
            throw Failure("\(name: name) is you; to leave a group: kith group leave GROUP")
        }
        if let found = try await catchingUp(profile, { try contact(name, among: await profile.contacts()) }) {
            return found
        }
        throw Failure(unknown(name, among: await profile.contacts().map(\.name)))
    }

    /// Returns the other person of a conversation of two.
    private static func contact(ofConversation number: UInt64, in profile: Profile) async throws -> Contact {
        guard let conversation = try await profile.conversations().first(where: { $0.id.rawValue == number }) else {
            throw Failure("there is no conversation #\(number)")
        }
        guard let contact = await profile.contacts().first(where: { $0.id == conversation.contact }) else {
            throw Failure("#\(number) is the group \(name: conversation.name); name one of its members")
        }
        return contact
    }

    /// Finds the contact with a name. If the contact's inbox address is not known yet, waits a few seconds for it. A person who
    /// has just joined sends the inbox address in the conversation of two.
    static func reachableContact(_ name: String, in profile: Profile) async throws -> Contact {
        let contact = try await contact(name, in: profile)
        let isTalking = try await profile.conversations().contains {
            $0.contact == contact.id && $0.isUsable && !$0.isPending
        }
        guard contact.inbox == nil, isTalking else { return contact }
        return try await catchingUp(profile) {
            await profile.contacts().first { $0.id == contact.id && $0.inbox != nil }
        } ?? contact
    }

    /// Finds the contact with a name among `contacts`; `nil` if there is none.
    static func contact(_ name: String, among contacts: [Contact]) throws -> Contact? {
        for isMeant in meanings(of: name) {
            let found = contacts.filter { isMeant($0.name) }
            if found.count == 1 { return found[0] }
            if found.count > 1 {
                let names = found.map { "\(name: $0.name)" as Sentence }.joined(separator: ", ")
                throw Failure("\(name: name) is ambiguous; write one of these names exactly: \(names)")
            }
        }
        return nil
    }

    /// Three ways to compare a name, the strictest first: exactly, without regard to case, and in the form in which this program
    /// prints names.
    private static func meanings(of name: String) -> [(String) -> Bool] {
        [{ $0 == name }, { $0.isLike(name) }, { ForeignText($0).isShown(as: name) }]
    }

    /// Finds the conversation that has the given name, in a profile that another process has opened. The other process might
    /// still be receiving the conversation, so this function repeats the search for up to a few seconds.
    ///
    /// - Returns: the conversation, and the profile in its latest state. The profile is either `profile` or a new view of it.
    static func conversation(
        _ name: String, underWayIn profile: Profile
    ) async throws -> (conversation: ConversationSummary, profile: Profile) {
        var profile = profile
        let end = ContinuousClock.now + catchingUp
        while true {
            do {
                return (try await conversation(name, in: profile), profile)
            } catch is Failure where ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(50))
                let now = try await profile.reloaded()
                await profile.close()
                profile = now
            }
        }
    }

    /// Finds the conversation that has the given name.
    static func conversation(_ name: String, in profile: Profile) async throws -> ConversationSummary {
        switch try await named(name, in: profile) {
        case .conversation(let conversation): return conversation
        case .contact(let contact):
            // An ended conversation is accepted too, because it still has its history.
            if let last = try await profile.conversations().first(where: { $0.contact == contact.id }) { return last }
            throw Failure("there is no conversation with \(name: contact.name) yet")
        }
    }

    private static func number(_ name: String) -> UInt64? {
        name.hasPrefix("#") ? UInt64(name.dropFirst()) : nil
    }

    private static func ambiguous(_ name: String, _ candidates: [ConversationSummary]) -> Failure {
        let list = candidates.sorted { $0.lastActivityMs > $1.lastActivityMs }.map { conversation -> Sentence in
            let kind: Sentence =
                conversation.isDirect
                ? "\(name: conversation.name) alone"
                : "the group \(name: conversation.name) of \(conversation.memberCount)"
            let last: Sentence =
                conversation.lastActivityMs == 0
                ? "no message yet" : "last message \(own: Timestamp(ms: conversation.lastActivityMs).local)"
            return "\(own: conversation.reference) (\(kind), \(last))"
        }
        return Failure(
            "\(name: name) is the name of several conversations; write the number: \(list.joined(separator: ", "))")
    }

    /// Returns up to five of `names` that are similar to `name`.
    static func near(_ name: String, among names: [String]) -> [String] {
        Array(Set(names).filter { $0.isNear(name) }.sorted().prefix(5))
    }

    /// Returns a sentence for an unknown name. The sentence lists similar names.
    static func unknown(_ name: String, among names: [String]) -> Sentence {
        let near = near(name, among: names).map { "\(name: $0)" as Sentence }
        let start: Sentence = "there is no contact or conversation \(name: name) here"
        // The sentence only names the command, because a relay may learn a name only if the user looks it up.
        let lookup: Sentence? = Name(name).map { "For a name at a relay: kith lookup \(name: $0.text)" }
        if !near.isEmpty {
            return "\(start); did you mean \(near.joined(separator: " or "))?\(lookup.map { " \($0)" } ?? "")"
        }
        let hint: Sentence = names.isEmpty ? "; there are no contacts yet (kith invite, kith join)" : " (kith list)"
        return "\(start)\(hint)\(lookup.map { ". \($0)" } ?? "")"
    }
}

extension ConversationSummary {
    /// The conversation's number as an argument of a command, such as `'#3'`. Without the quotes, a shell takes the number for a
    /// comment.
    var reference: String { "'#\(id.rawValue)'" }

    /// Whether messages can be sent to the conversation, now or later.
    var isUsable: Bool { obstacle == nil }

    /// Whether this device is in the conversation, or is joining it.
    var isOpen: Bool {
        switch status {
        case .preparing, .active: true
        case .removed, .replaced, .left, .stopped: false
        }
    }

    /// Whether `kith list` shows the conversation. An archived conversation is not listed. A conversation that has ended, or
    /// that all other members have left, is listed only while it has unread messages. A conversation that stopped because the
    /// profile was restored is listed even without unread messages, because it continues when a member adds the device.
    var isListed: Bool {
        if isArchived { return false }
        if case .stopped(_, .restored) = status { return true }
        return isOpen && !isLeftAlone || unread > 0
    }

    /// Whether all other members have left. The result is `false` for a new conversation to which nobody has been added yet:
    /// such a conversation has no entries.
    var isLeftAlone: Bool { status == .active && memberCount < 2 && lastSeq > 0 }

    /// The reason why messages cannot be sent to the conversation; `nil` if they can be sent.
    var obstacle: KithError? {
        switch status {
        case .preparing: nil
        case .active: memberCount > 1 ? nil : .membership(.leftAlone)
        case .removed, .replaced, .left, .stopped: .conversation(status)
        }
    }

    /// The reason why queued messages are not sent unless the user acts. A user who wants to leave a chat should act before.
    /// `nil` if queued messages are sent.
    var reasonNotToLeave: KithError? {
        switch status {
        case .removed, .replaced, .left, .stopped: .conversation(status)
        case .preparing, .active: isSuspect ? .suspect : nil
        }
    }
}

extension String {
    /// Whether two names differ only in case or in the composition of characters.
    fileprivate func isLike(_ other: String) -> Bool { lowercased() == other.lowercased() }

    /// Whether another name may be a mistyped form of this name.
    fileprivate func isNear(_ other: String) -> Bool {
        let (mine, wanted) = (Array(lowercased()), Array(other.lowercased()))
        if wanted.count >= 2, mine.starts(with: wanted) { return true }
        // Longer names are not compared, because the time grows with the square of the length, and such a difference is hardly a
        // typing error.
        guard abs(mine.count - wanted.count) <= 2, mine.count <= 64 else { return false }
        // Two swapped neighbouring characters count as one error.
        var before: [Int] = []
        var row = Array(0...wanted.count)
        for (index, character) in mine.enumerated() {
            var next = [index + 1]
            for column in wanted.indices {
                var cost = Swift.min(
                    row[column] + (character == wanted[column] ? 0 : 1), next[column] + 1, row[column + 1] + 1)
                if index > 0, column > 0, character == wanted[column - 1], mine[index - 1] == wanted[column] {
                    cost = Swift.min(cost, before[column - 1] + 1)
                }
                next.append(cost)
            }
            (before, row) = (row, next)
        }
        return row[wanted.count] <= (wanted.count <= 3 ? 1 : 2)
    }
}
