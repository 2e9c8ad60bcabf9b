import KithWire

/// The delivery state of the user's own message.
public enum Delivery: Hashable, Sendable {
    /// The message waits on this device.
    case queued
    /// The message is on the relay's disk.
    case onRelay
    /// This many members have confirmed that they have read the message.
    case read(by: Int)
}

/// One line of a conversation.
public struct Message: Hashable, Sendable {
    /// The author.
    public enum Author: Hashable, Sendable {
        /// The user of this profile.
        case me
        /// A member.
        case contact(ContactID, name: String, Trust)
        /// Kith itself.
        case kith
    }

    /// The content of a message.
    public enum Body: Hashable, Sendable {
        /// Text.
        case text(String)
        /// Files.
        case files(MessageFiles)
        /// An event in the conversation.
        case notice(Notice)
        /// Content of a kind that this version does not know.
        case needsNewerKith(kind: UInt16)
        /// The author has deleted the message.
        case deleted
    }

    /// A member's reaction to a message.
    public struct Reaction: Hashable, Sendable {
        /// One grapheme cluster, usually an emoji.
        public let text: String
        /// The member who reacts.
        public let author: Author
    }

    /// The message that another message answers.
    public struct Quote: Hashable, Sendable {
        /// The seq of the answered message.
        public let seq: UInt64
        /// The author of the answered message.
        public let author: Author
        /// The current text of the answered message; `nil` if the message has no text, for example because it was deleted.
        public let text: String?
        /// Whether the answered text was edited. If so, the answer might refer to an earlier text.
        public let isEdited: Bool
    }

    /// The message's id, which is the same for all members.
    public let id: EntryID
    /// The message's conversation.
    public let conversation: ConversationID
    /// The message's position in the log; `nil` until the log has the message.
    public let seq: UInt64?
    /// The author.
    public let author: Author
    /// The content.
    public let body: Body
    /// The time of sending by the sender's clock, in milliseconds since 1970. If that time is unknown, this is the time at
    /// which the relay received the entry, by the relay's clock. A notice about a damaged entry has the time of a message near
    /// it.
    package let sentAtMs: UInt64
    /// The message that this message answers.
    public let replyTo: EntryID?
    /// The message that this message answers, if this device has it.
    package(set) public var quote: Quote?
    /// The delivery state; `nil` unless the user has written the message.
    public let delivery: Delivery?
    /// The problems that were found with the message.
    public let warnings: [Warning]
    /// The members who have confirmed that they have read the message. Empty unless the user has written the message.
    public var readers: [ContactID] = []
    /// The seqs of the entries that added some of the ``readers``, who have read no message before.
    package var readersJoinedAt: [ContactID: UInt64] = [:]
    /// The reactions of members, in the order in which the log has them.
    package(set) public var reactions: [Reaction] = []
    /// Whether the author has edited the text.
    package(set) public var isEdited = false
    /// Whether a member has pinned the message.
    package(set) public var isPinned = false
    /// Whether the text mentions this profile's user.
    package(set) public var mentionsMe = false
    /// Time after which each device deletes the message, in seconds, counted from the message's arrival on that device; `nil`
    /// if the message does not expire.
    package var expiresAfter: UInt32?

    /// The text; `nil` if the content is not text.
    public var text: String? { if case .text(let text) = body { text } else { nil } }

    /// The files; `nil` if the content is not files.
    public var files: MessageFiles? { if case .files(let files) = body { files } else { nil } }
}

/// An event in a conversation, at its place in the log.
public enum Notice: Hashable, Sendable {
    /// The conversation begins here on this device.
    case began(by: String)
    /// A member was added.
    case added(String, by: String)
    /// A member was removed.
    case removed(String, by: String)
    /// A member left.
    case left(String)
    /// A member left a conversation of two before saying anything. A member's device does so if the conversation was begun with
    /// the member's single-use invite, and another person had already used that invite.
    case declined(by: String)
    /// The conversation was renamed.
    case renamed(String, by: String)
    /// A member has changed its own name.
    case calledNow(String, now: String)
    /// A member has renewed its keys. Only `explain` shows this.
    case renewed(by: String)
    /// Entries could not be read, all for the same reason and with nothing shown between them. `count` is the number of
    /// unreadable entries.
    case unreadable(UnreadableReason, from: String?, count: Int = 1)
    /// This device was away from the conversation until it was added again. The device never had the entries from `first` to
    /// `last`.
    case missed(first: UInt64, last: UInt64)
    /// The message at this seq was pinned.
    case pinned(seq: UInt64, by: String)
    /// The message at this seq is no longer pinned.
    case unpinned(seq: UInt64, by: String)
    /// Messages that are sent from now on expire after this time, in seconds; `nil` for never.
    case timer(seconds: UInt32?, by: String)
}

/// A change of an earlier message. The log's order decides between changes, so all members see the same result.
public enum MessageUpdate: Hashable, Sendable {
    /// A member has set this reaction, or has removed it (`nil`).
    case reaction(String?, by: Message.Author)
    /// The author has replaced the text.
    case edited
    /// The author has deleted the message, or the user has deleted it on this device.
    case deleted
    /// A member has pinned the message.
    case pinned(by: Message.Author)
    /// A member has removed the pin.
    case unpinned(by: Message.Author)
    /// The text has expired, and was erased.
    case expired
}

/// The reason why an entry could not be read.
public enum UnreadableReason: UInt8, Hashable, Sendable {
    /// The entry cannot be decrypted, or its signature is wrong.
    case notGenuine = 1
    /// The entry repeats an earlier entry: its key was already used.
    case repeated
    /// The entry's key is too far ahead of the sender's other messages.
    case tooFarAhead
    /// The entry's content cannot be parsed.
    case malformed
    /// The id in the content differs from the entry's id.
    case wrongID
    /// The entry is a commit that breaks the rules.
    case invalidCommit
    /// The entry is damaged on this device's disk. This reason is never stored.
    case damaged
}

/// A problem with a message, or with the log that the relay shows.
public enum Warning: Hashable, Sendable {
    /// The relay has shown different logs to the sender and to this device. The logs differ somewhere between entry `first` and
    /// entry `last`.
    case differentLogs(first: UInt64, last: UInt64)
    /// This many earlier messages of the sender have not arrived.
    case missingBefore(Int)
    /// The relay has acknowledged this entry, but does not show it at its position.
    case notKept(seq: UInt64)
    /// An invitation that this device has already used has arrived once more. It leads to an earlier state of the conversation,
    /// so it was ignored.
    case oldWelcome
    /// A person has used a single-use invite that was already used. This device leaves the new conversation visibly, so that the
    /// person who used the invite learns that nobody reads the conversation.
    case inviteUsedAgain
    /// A text of this device is longer than the relay accepts. The text was not sent and is not stored. `limit` is the largest
    /// size that the relay accepts, in bytes.
    case longerThanRelayTakes(EntryID, limit: UInt64)
    /// A message was not sent and is not kept, because the user has blocked the only person whom it was for.
    case notSentToBlocked(EntryID)
    /// A member has the entries up to this seq, but the relay does not show them to this device.
    case heldBack(through: UInt64)
    /// The relay temporarily refuses the invitation for this person. The invitation is stored and retried.
    case invitationWaits(for: String, InvitationObstacle)
}

/// The reason why an invitation is not in the invited person's inbox yet.
public enum InvitationObstacle: UInt8, Hashable, Sendable {
    /// The inbox is full until its owner reads it.
    case inboxFull = 1
    /// The relay's disk is full.
    case relayFull
    /// The relay accepts nothing more from this device or its address for some time.
    case tooFast
    /// The relay cannot store anything now.
    case unavailable
}
