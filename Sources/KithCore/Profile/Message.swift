import KithWire

/// The delivery state of the user's own message.
public enum Delivery: Hashable, Sendable {
    /// It waits on this device.
    case queued
    /// The relay has it on its disk.
    case onRelay
    /// This many members have confirmed that they read it.
    case read(by: Int)
}

/// One line of a conversation.
public struct Message: Hashable, Sendable {
    /// The author.
    public enum Author: Hashable, Sendable {
        /// This profile.
        case me
        /// A member.
        case contact(ContactID, name: String, Trust)
        /// Kith itself.
        case kith
    }

    /// The content.
    public enum Body: Hashable, Sendable {
        /// Text.
        case text(String)
        /// An event in the conversation.
        case notice(Notice)
        /// A kind that this Kith does not know.
        case needsNewerKith(kind: UInt16)
    }

    /// The message's id; the same for all members.
    public let id: EntryID
    /// The message's conversation.
    public let conversation: ConversationID
    /// Its place in the log; `nil` while it waits to be sent.
    public let seq: UInt64?
    /// The author.
    public let author: Author
    /// The content.
    public let body: Body
    /// The time of sending, in milliseconds since 1970: by the sender's clock, or by the relay's clock for notices.
    package let sentAtMs: UInt64
    /// The message that it answers.
    public let replyTo: EntryID?
    /// Its delivery state, if it is the user's own message.
    public let delivery: Delivery?
    /// The problems found with it.
    public let warnings: [Warning]
    /// The members who have confirmed that they read it, if it is the user's own message.
    public var readers: [ContactID] = []

    /// The text; `nil` for notices and for kinds that this Kith does not know.
    public var text: String? { if case .text(let text) = body { text } else { nil } }
}

/// An event in a conversation, at its place in the log.
public enum Notice: Hashable, Sendable {
    /// The conversation begins here, for this device.
    case began(by: String)
    /// A member was added.
    case added(String, by: String)
    /// A member was removed.
    case removed(String, by: String)
    /// A member left.
    case left(String)
    /// The conversation was renamed.
    case renamed(String, by: String)
    /// A member's keys were renewed. Shown by `explain` only.
    case renewed(by: String)
    /// This many entries, with nothing shown between them, could not be read for this reason.
    case unreadable(UnreadableReason, from: String?, count: Int = 1)
    /// Entries are gone from the relay, and this device never had them.
    case missed(first: UInt64, last: UInt64)
}

/// The reason why an entry could not be read.
public enum UnreadableReason: UInt8, Hashable, Sendable {
    /// It does not decrypt or its signature is wrong.
    case notGenuine = 1
    /// Its key was used before, so it repeats an earlier entry.
    case repeated
    /// Its key is too far ahead of the sender's other messages.
    case tooFarAhead
    /// Its content can't be parsed.
    case malformed
    /// Its content names another entry id than the entry has.
    case wrongID
    /// It is a commit that breaks the rules.
    case invalidCommit
    /// It is damaged on this device's disk. Never stored.
    case damaged
}

/// A problem of a message, or of the log that the relay shows.
public enum Warning: Hashable, Sendable {
    /// The relay showed the sender a different log than this device, somewhere in these entries.
    case differentLogs(first: UInt64, last: UInt64)
    /// This many earlier messages of the sender have not arrived.
    case missingBefore(Int)
    /// The relay acknowledged this entry, but does not show it in its place.
    case notKept(seq: UInt64)
    /// An invitation to a past state of the conversation came into an inbox again. It was ignored.
    case oldWelcome
    /// A person used a single-use invite that had already been used. This device leaves the conversation, so that the person
    /// notices.
    case inviteUsedAgain
    /// The relay accepts no entry of more than this many bytes, and this device's text is longer. It was not sent and is not
    /// kept.
    case longerThanRelayTakes(EntryID, limit: UInt64)
    /// A member has entries up to this one that the relay does not show to this device.
    case heldBack(through: UInt64)
    /// The relay refuses this person's invitation for the moment, for this reason. The invitation is kept and retried.
    case invitationWaits(for: String, InvitationObstacle)
}

/// The reason why an invitation is not in the invited person's inbox yet.
public enum InvitationObstacle: UInt8, Hashable, Sendable {
    /// The inbox is full until its owner reads it.
    case inboxFull = 1
    /// The relay's disk is full.
    case relayFull
    /// The relay accepts nothing more from this device or its address for a while.
    case tooFast
    /// The relay can't store anything at the moment.
    case unavailable
}
