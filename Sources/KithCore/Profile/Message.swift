import KithWire

/// States of one's own message on its way.
public enum Delivery: Hashable, Sendable {
    /// It waits on this device.
    case queued
    /// The relay has it on its disk.
    case onRelay
    /// This many members said that they have read it.
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
        /// Something happened.
        case notice(Notice)
        /// A kind that this Kith does not know.
        case needsNewerKith(kind: UInt16)
    }

    /// The message's id; the same for all members.
    public let id: EntryID
    /// Where it is said.
    public let conversation: ConversationID
    /// Its place in the log; `nil` while it waits to be sent.
    public let seq: UInt64?
    /// The author.
    public let author: Author
    /// The content.
    public let body: Body
    /// When, in milliseconds since 1970: by the sender's clock, or by the relay's for notices.
    package let sentAtMs: UInt64
    /// The message that it answers.
    public let replyTo: EntryID?
    /// The state of its delivery, if it is one's own.
    public let delivery: Delivery?
    /// The problems that were found with it.
    public let warnings: [Warning]
    /// The members who said that they have read it, if it is one's own.
    public var readers: [ContactID] = []

    /// The text; `nil` for notices and for kinds that this Kith does not know.
    public var text: String? { if case .text(let text) = body { text } else { nil } }
}

/// Something that happened in a conversation, at its place in the log.
public enum Notice: Hashable, Sendable {
    /// The conversation begins here, for this device.
    case began(by: String)
    /// A member was added.
    case added(String, by: String)
    /// A member was removed.
    case removed(String, by: String)
    /// A member left.
    case left(String)
    /// The conversation has another name.
    case renamed(String, by: String)
    /// A member's keys were renewed. Said in `explain` only.
    case renewed(by: String)
    /// Entries could not be read, and why: this many, with nothing else to show between them.
    case unreadable(UnreadableReason, from: String?, count: Int = 1)
    /// Entries are gone from the relay and were never here.
    case missed(first: UInt64, last: UInt64)
}

/// The reason for which an entry could not be read.
public enum UnreadableReason: UInt8, Hashable, Sendable {
    /// It does not decrypt or its signature is wrong.
    case notGenuine = 1
    /// Its key was used before: it was said already.
    case repeated
    /// It is too far ahead of the sender's others.
    case tooFarAhead
    /// The content does not parse.
    case malformed
    /// It says that it is another entry than it is.
    case wrongID
    /// A commit that breaks the rules.
    case invalidCommit
    /// It is damaged on this device's disk. Never stored.
    case damaged
}

/// Problems of a message, or of the log that the relay shows.
public enum Warning: Hashable, Sendable {
    /// The relay showed the sender another log than this device, somewhere in these entries.
    case differentLogs(first: UInt64, last: UInt64)
    /// This many messages of the sender have not arrived.
    case missingBefore(Int)
    /// The relay said that it has this entry and shows another in its place.
    case notKept(seq: UInt64)
    /// An invitation to a state of the conversation that is over was put into an inbox again. It was not taken.
    case oldWelcome
    /// Somebody came with an invite for one person after that person had. This device leaves the conversation, so that they see it.
    case inviteUsedAgain
    /// The relay takes no entry of more than so many bytes, and this text of this device's is longer. It was not sent and is not
    /// kept.
    case longerThanRelayTakes(EntryID, limit: UInt64)
    /// A member has entries up to this one, and the relay does not show them to this device.
    case heldBack(through: UInt64)
    /// The relay refuses the invitation of this person for the moment, and why. The invitation is kept and tried again.
    case invitationWaits(for: String, InvitationObstacle)
}

/// The reason for which an invitation is not in the invited person's inbox yet.
public enum InvitationObstacle: UInt8, Hashable, Sendable {
    /// The inbox is full until its owner has read what is in it.
    case inboxFull = 1
    /// The relay has no room on its disk.
    case relayFull
    /// The relay takes no more from this device or its address for a while.
    case tooFast
    /// The relay can't store anything at the moment.
    case unavailable
}
