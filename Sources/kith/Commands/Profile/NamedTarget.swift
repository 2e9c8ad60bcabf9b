import Foundation
import KithClient
import KithWire

/// What a name on the command line stands for.
enum NamedTarget: Hashable, Sendable {
    /// A conversation that there is.
    case conversation(ConversationSummary)
    /// A person with whom there is none of two yet.
    case contact(Contact)

    /// Finds what a name stands for: as it is written, or else in upper or lower case. `#3` is conversation number 3.
    ///
    /// - Throws: ``Failure`` that says what there is instead, if nothing or more than one thing goes by the name.
    static func named(_ name: String, in profile: Profile) async throws -> NamedTarget {
        let found = try await catchingUp(profile) {
            try find(name, conversations: try await profile.conversations(), contacts: await profile.contacts())
        }
        if let found { return found }
        return try named(name, conversations: try await profile.conversations(), contacts: await profile.contacts())
    }

    /// How long relays are given to tell what came while the profile was not open.
    private static let catchingUp = Duration.seconds(3)

    /// Somebody may have come while the profile was not open: a name that is unknown is looked for a little longer.
    private static func catchingUp<R>(_ profile: Profile, _ find: () async throws -> R?) async throws -> R? {
        let end = ContinuousClock.now + catchingUp
        let mayCome = await profile.isReceiving
        while true {
            if let found = try await find() { return found }
            guard mayCome, ContinuousClock.now < end else { return nil }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Finds what a name stands for among these.
    static func named(
        _ name: String, conversations: [ConversationSummary], contacts: [Contact]
    ) throws -> NamedTarget {
        if let target = try find(name, conversations: conversations, contacts: contacts) { return target }
        throw Failure(unknown(name, among: conversations.map(\.name) + contacts.map(\.name)))
    }

    /// Finds what a name stands for among these; `nil` if nothing goes by it.
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
            // What is over is meant only if nothing else is.
            let usable = found.filter(\.isUsable)
            let candidates = usable.isEmpty ? found : usable
            if candidates.count > 1 { throw ambiguous(name, candidates) }
            let contact = contacts.first { isMeant($0.name) }
            // The members of a group choose its name: it must not catch what is meant for a contact.
            if let contact, let group = candidates.first, !group.isDirect {
                throw Failure(
                    "\(name: contact.name) is a contact, and a group has the same name; write #\(group.id.rawValue) for the group, or rename the contact (kith contacts rename)"
                )
            }
            if let conversation = candidates.first, conversation.isUsable || contact == nil {
                return .conversation(conversation)
            }
            if let contact { return .contact(contact) }
        }
        return nil
    }

    /// The contact that a name stands for.
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

    /// The other person of a conversation of two.
    private static func contact(ofConversation number: UInt64, in profile: Profile) async throws -> Contact {
        guard let conversation = try await profile.conversations().first(where: { $0.id.rawValue == number }) else {
            throw Failure("there is no conversation #\(number)")
        }
        guard let contact = await profile.contacts().first(where: { $0.id == conversation.contact }) else {
            throw Failure("#\(number) is the group \(name: conversation.name); name one of its members")
        }
        return contact
    }

    /// The contact that a name stands for, once its address for invitations is here: one who has just joined sends it in the
    /// conversation of two.
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

    /// The contact among these that a name stands for; `nil` if there is none.
    static func contact(_ name: String, among contacts: [Contact]) throws -> Contact? {
        for isMeant in meanings(of: name) {
            let found = contacts.filter { isMeant($0.name) }
            if found.count == 1 { return found[0] }
            if found.count > 1 {
                let names = found.map { "\(name: $0.name)" as Sentence }.joined(separator: ", ")
                throw Failure("\(name: name) may be any of: \(names); write it as it is there")
            }
        }
        return nil
    }

    /// The ways to write a name, the closest first: as it is, in another case, and as this program shows it.
    private static func meanings(of name: String) -> [(String) -> Bool] {
        [{ $0 == name }, { $0.isLike(name) }, { ForeignText($0).isShown(as: name) }]
    }

    /// The conversation that a name stands for, in a profile that another process has open: that one may be learning of it.
    ///
    /// - Returns: the conversation, and the profile as it is now, which is this one or another view of it.
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
                let now = try await profile.lookAgain()
                await profile.close()
                profile = now
            }
        }
    }

    /// The conversation that a name stands for.
    static func conversation(_ name: String, in profile: Profile) async throws -> ConversationSummary {
        switch try await named(name, in: profile) {
        case .conversation(let conversation): return conversation
        case .contact(let contact):
            // One that can't be used any more still has its history.
            if let last = try await profile.conversations().first(where: { $0.contact == contact.id }) { return last }
            throw Failure("there is no conversation with \(name: contact.name) yet")
        }
    }

    private static func number(_ name: String) -> UInt64? {
        name.hasPrefix("#") ? UInt64(name.dropFirst()) : nil
    }

    private static func ambiguous(_ name: String, _ candidates: [ConversationSummary]) -> Failure {
        let list = candidates.map { conversation -> Sentence in
            let count = conversation.memberCount
            return
                "#\(conversation.id.rawValue) (\(name: conversation.name), \(count) \(count == 1 ? "member" : "members"))"
        }
        return Failure(
            "\(name: name) is the name of several conversations; write the number: \(list.joined(separator: ", "))")
    }

    /// The names that a user who typed this may have meant.
    static func near(_ name: String, among names: [String]) -> [String] {
        Array(Set(names).filter { $0.isNear(name) }.sorted().prefix(5))
    }

    /// That nothing here has the name, and what may have been meant.
    static func unknown(_ name: String, among names: [String]) -> Sentence {
        let near = near(name, among: names).map { "\(name: $0)" as Sentence }
        let start: Sentence = "there is no contact or conversation \(name: name) here"
        // A relay learns the name only when the user asks for that.
        let lookup: Sentence? = Name(name).map { "For a name at a relay: kith lookup \(name: $0.text)" }
        if !near.isEmpty {
            return "\(start); did you mean \(near.joined(separator: " or "))?\(lookup.map { " \($0)" } ?? "")"
        }
        let hint: Sentence = names.isEmpty ? "; there are no contacts yet (kith invite, kith join)" : " (kith list)"
        return "\(start)\(hint)\(lookup.map { ". \($0)" } ?? "")"
    }
}

extension ConversationSummary {
    /// Whether something can be sent there, or will be.
    var isUsable: Bool { obstacle == nil }

    /// Why nothing can be sent there.
    var obstacle: KithError? {
        switch status {
        case .preparing: nil
        case .active: memberCount > 1 ? nil : .membership(.leftAlone)
        case .removed, .left, .stopped: .conversation(status)
        }
    }

    /// Why nothing of what waits leaves, until the user does something; `nil` if it does.
    var reasonNotToLeave: KithError? {
        switch status {
        case .removed, .left, .stopped: .conversation(status)
        case .preparing, .active: isSuspect ? .suspect : nil
        }
    }
}

extension String {
    /// Whether two names differ by case or composition only.
    fileprivate func isLike(_ other: String) -> Bool { lowercased() == other.lowercased() }

    /// Whether somebody who wrote the other may have meant this.
    fileprivate func isNear(_ other: String) -> Bool {
        let (mine, wanted) = (Array(lowercased()), Array(other.lowercased()))
        if wanted.count >= 2, mine.starts(with: wanted) { return true }
        // A long name costs its square, and nobody mistypes one that far off.
        guard abs(mine.count - wanted.count) <= 2, mine.count <= 64 else { return false }
        // Two neighbours that changed places are one mistake.
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
