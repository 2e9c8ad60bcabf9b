import DequeModule
import KithWire

/// The subjects of dropped events. Events are dropped if a subscriber is slow. The subjects are read again from the profile. The
/// memory for the subjects depends on the number of conversations, contacts and relays. The memory does not depend on the number
/// of events.
struct DroppedEvents {
    /// The place in a conversation from which messages are read again.
    private struct Place {
        /// The seq from which the user's own messages have to be read; `nil` if none have to be read.
        var own: UInt64?
        /// The seq from which notices and messages of other members have to be read; `nil` if none have to be read.
        var others: UInt64?

        /// The seq of the first entry that has to be read.
        var next: UInt64 { min(own ?? .max, others ?? .max) }

        func includes(_ message: Message) -> Bool {
            guard let first = message.author == .me ? own : others, let seq = message.seq else { return false }
            return seq >= first
        }

        /// Adds messages from a seq on. If `isOwn` is `true`, adds the user's own messages. If `isOwn` is `false`, adds the
        /// notices and the messages of all other members.
        mutating func include(_ seq: UInt64, isOwn: Bool) {
            if isOwn { own = min(own ?? .max, seq) } else { others = min(others ?? .max, seq) }
        }

        /// Leaves out all messages before a seq.
        mutating func advance(to seq: UInt64) {
            own = own.map { max($0, seq) }
            others = others.map { max($0, seq) }
        }
    }

    private var contacts: Set<ContactID> = []
    private var conversations: Set<ConversationID> = []
    private var relays: Set<KnownRelay> = []
    /// The conversations in which earlier messages have changed.
    private var changed: Set<ConversationID> = []
    /// The conversations in which other members have begun or ended to type.
    private var typing: Set<ConversationID> = []
    private var places: [ConversationID: Place] = [:]
    /// The conversations with messages that have to be read. The first conversation in this queue has the next turn.
    private var turns: Deque<ConversationID> = []

    var isEmpty: Bool { hasNoSubjects && turns.isEmpty }

    private var hasNoSubjects: Bool {
        contacts.isEmpty && conversations.isEmpty && relays.isEmpty && changed.isEmpty && typing.isEmpty
    }

    /// Adds the messages of other members in a conversation from a seq on.
    mutating func addOthers(from seq: UInt64, in conversation: ConversationID) {
        include(seq, isOwn: false, in: conversation)
    }

    /// Notes that an event is dropped.
    ///
    /// - Returns: whether the event's subject can be read again. The result is also `true` for a message of the user that is not
    ///   in the log yet: a later event reports that message when the message is in the log.
    mutating func note(_ event: KithEvent) -> Bool {
        switch event {
        case .contact(let contact): contacts.insert(contact.id)
        case .conversation(let summary): conversations.insert(summary.id)
        case .relay(let relay, _): relays.insert(relay)
        case .message(let message):
            guard let seq = message.seq else { return true }
            include(seq, isOwn: message.author == .me, in: message.conversation)
        case .messageChanged(let message, _): changed.insert(message.conversation)
        case .messagesChanged(let conversation): changed.insert(conversation)
        case .typing(let conversation, _): typing.insert(conversation)
        case .memberIsOnline, .inviteUsed, .warning, .invitationPassedOver, .clock, .tooManyPending,
            .nameLost, .file:
            return false
        }
        return true
    }

    /// If the subject of a new event will be read again, notes the event. The caller must not deliver a noted event: the message
    /// of that event would overtake earlier messages that were dropped.
    ///
    /// - Returns: whether the event was noted.
    mutating func absorb(_ event: KithEvent) -> Bool {
        switch event {
        case .contact(let contact): return contacts.contains(contact.id)
        case .conversation(let summary): return conversations.contains(summary.id)
        case .relay(let relay, _): return relays.contains(relay)
        case .typing(let conversation, _): return typing.contains(conversation)
        case .messageChanged(let message, _):
            if changed.contains(message.conversation) { return true }
            // The message will be read in its new state.
            guard message.seq != nil, let place = places[message.conversation] else { return false }
            return place.includes(message)
        case .message(let message):
            // A message before the place was already read, so the event reports a change of that message.
            guard let seq = message.seq, let place = places[message.conversation], seq >= place.next else {
                return false
            }
            return note(event)
        default: return false
        }
    }

    private mutating func include(_ seq: UInt64, isOwn: Bool, in conversation: ConversationID) {
        if places[conversation] == nil { turns.append(conversation) }
        places[conversation, default: Place()].include(seq, isOwn: isOwn)
    }

    // MARK: Reading

    /// The contacts, conversations and relays whose current state is read again, and the conversations whose messages the
    /// subscriber has to read again.
    struct Subjects {
        let contacts: Set<ContactID>
        let conversations: Set<ConversationID>
        let relays: Set<KnownRelay>
        let changed: Set<ConversationID>
        let typing: Set<ConversationID>
    }

    /// Removes and returns the subjects; `nil` if there are none.
    mutating func takeSubjects() -> Subjects? {
        guard !hasNoSubjects else { return nil }
        defer { (contacts, conversations, relays, changed, typing) = ([], [], [], [], []) }
        return Subjects(
            contacts: contacts, conversations: conversations, relays: relays, changed: changed, typing: typing)
    }

    /// A page of a conversation's messages, and the seq at which the next page begins. The seq is `nil` if this is the last page.
    typealias Page = (messages: [Message], next: UInt64?)

    /// Reads a page of the conversation that has the next turn.
    ///
    /// - Parameter read: reads a page of a conversation from a seq on.
    mutating func readMessages(
        _ read: (ConversationID, UInt64) throws(KithError) -> Page
    ) throws(KithError) -> [Message] {
        guard let conversation = turns.first, var place = places[conversation] else { return [] }
        let page = try read(conversation, place.next)
        let messages = page.messages.filter(place.includes)
        turns.removeFirst()
        places[conversation] = nil
        if let next = page.next {
            place.advance(to: next)
            places[conversation] = place
            turns.append(conversation)
        }
        return messages
    }
}
