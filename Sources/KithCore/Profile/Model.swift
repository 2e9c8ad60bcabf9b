import KithWire

/// A conversation of this profile, by its number.
public struct ConversationID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number, from 1 on.
    public let rawValue: UInt64
    /// Takes a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Orders by number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A person that this profile knows, by number.
public struct ContactID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number, from 1 on.
    public let rawValue: UInt64
    /// Takes a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Orders by number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// An invite of this profile's that is open, by number.
public struct InboxID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number, from 1 on.
    public let rawValue: UInt64
    /// Takes a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Orders by number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The reason to believe that a key is a contact's.
public enum Trust: UInt8, Hashable, Sendable, Comparable {
    /// It is not: the relay, or a member of a group, said so.
    case unverified = 0
    /// The contact used an invite that was made for one person. Another person who got hold of it could have.
    case usedMyInvite
    /// The key came in the contact's own invite.
    case invite
    /// The safety numbers were compared.
    case compared

    /// Orders by how much there is to believe it.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Whether the key came on a way that the relay has no part in.
    public var isVerified: Bool { self != .unverified }
}

/// A person that this profile knows.
public struct Contact: Hashable, Sendable {
    /// The contact's number.
    public let id: ContactID
    /// This profile's name for the contact. No two have the same.
    public var name: String
    /// The key that was pinned when the contact was first met.
    public let accountKey: AccountKey
    /// The reason to believe the key.
    public var trust: Trust
    /// Another key that claims to be this contact's. Until a decision, nothing is sent to the contact.
    public var conflictingKey: AccountKey?
    /// Where the contact can be reached for new conversations, if that is known.
    public var inbox: InboxAddress?
    /// The name at a relay under which the contact was found, if that was the way.
    public var registeredName: Name?
    /// Whether the contact is known only from conversations that the user has not accepted.
    public var isStranger = false
}

/// Whether a conversation can be used, and if not why.
public enum ConversationStatus: Hashable, Sendable {
    /// It is made, or being joined, and not ready yet. Messages wait.
    case preparing
    /// Everything works.
    case active
    /// This device was removed, by this member.
    case removed(by: String)
    /// This device left.
    case left
    /// An entry can't be applied; nothing after it is either. Wait for a member to add this device again, or leave.
    case stopped(seq: UInt64, reason: StopReason)
}

/// The reason for which a conversation stopped.
public enum StopReason: UInt8, Hashable, Sendable {
    /// A member made a change that breaks the rules.
    case invalidCommit = 1
    /// The relay no longer has entries that this device needs.
    case trimmed
    /// The relay does not know the conversation, or does not let this device in.
    case denied
    /// The conversation's channel was closed.
    case closed
    /// The relay put another entry, or none, where the log goes on.
    case brokenLog
    /// This device is new (a restored backup): a member has to add it again.
    case restored
    /// The address that the other person gave leads nowhere any more: nobody was ever there.
    case notReachable
    /// The relay answered for the other person with somebody else's key: nobody was ever there.
    case wrongAccount
}

/// A conversation in a list.
public struct ConversationSummary: Hashable, Sendable {
    /// The conversation's number.
    public let id: ConversationID
    /// The name it goes by here: the contact's, or the group's.
    public let name: String
    /// The other person, if it is a conversation of two; `nil` there too if they have another key by now.
    public let contact: ContactID?
    /// Whether it is a conversation of two.
    public let isDirect: Bool
    /// Whether it can be used.
    public let status: ConversationStatus
    /// The members, this device's account included.
    public let memberCount: Int
    /// Messages that were not marked as read.
    public let unread: Int
    /// Up to which place in the log everything was marked as read.
    public let readThrough: UInt64
    /// The last entry's place in the log.
    public let lastSeq: UInt64
    /// When the last message came, in milliseconds since 1970; 0 if there is none.
    package let lastActivityMs: UInt64
    /// The relay that has it.
    public let relay: RelayAddress
    /// The key that the relay must have.
    public let relayPin: RelayPin
    /// Set when the relay showed this device another log than somebody else: sending waits for a decision.
    public let isSuspect: Bool
    /// Whether a stranger began it and the user has not accepted it. Until then nothing is sent there and nothing is fetched.
    public var isPending = false
    /// Whether another member has written to the log since this device is in the conversation.
    public var hasAnswer = true
    /// Whether an invitation to it has not reached the invited person's inbox yet.
    public var isInviting = false
}

/// A member of a conversation.
public struct Member: Hashable, Sendable {
    /// Whether the device belongs to this profile's own account.
    public let isMe: Bool
    /// The contact; `nil` for this profile itself, and for a key that no contact has any more.
    public let contact: ContactID?
    /// This profile's name for the member.
    public let name: String
    /// The reason to believe the member's key.
    public let trust: Trust
    /// The member's name for the device.
    public let deviceName: String
}

/// Things that happen, as they happen.
public enum KithEvent: Hashable, Sendable {
    /// A message was stored: a new one, or one that has come further.
    case message(Message)
    /// A conversation is new or has changed.
    case conversation(ConversationSummary)
    /// A contact is new or has changed.
    case contact(Contact)
    /// A relay can be reached, or not.
    case relay(KnownRelay, RelayState)
    /// A member proved to be here, now, in the same group, and signed how it has seen the log.
    case present(ConversationID, ContactID, name: String, LogComparison)
    /// Somebody used an invite.
    case inviteUsed(InboxID, ConversationID)
    /// Something is wrong that is not a message's.
    /// Warnings of one kind that follow one another within ten minutes are told for the first, the tenth, the hundredth time.
    case warning(ConversationID, Warning, times: Int)
    /// Somebody invited this device to a conversation at another relay, by an address that anybody may have. The invitation was
    /// passed over: nobody is to make a device connect to a relay of their choice by knowing its name.
    case invitationPassedOver(RelayAddress)
    /// This device's clock or another's is wrong. Told once for each, and again when the difference has changed.
    case clock(ClockDifference)
    /// The limit of conversations that strangers began is reached: further letters stay at the relay until the user decides.
    case tooManyPending
    /// Another person holds a name under which this profile was registered at a relay.
    case nameLost(Name, RelayAddress)
    /// More has happened than was taken in time, and events were dropped: read again what is shown.
    case missed
}

/// A member's view of the log, compared with this device's.
public enum LogComparison: Hashable, Sendable {
    /// They are the same.
    case same
    /// The member was shown this many entries more. They may be on the way.
    case ahead(by: UInt64)
    /// The member was shown this many entries less, and otherwise the same.
    case behind(by: UInt64)
    /// The relay showed different logs.
    case differs
}

/// A relay as this profile knows it: an address and the key that it must have there. Two relays may have one address; they are
/// the same only if the keys are.
public struct KnownRelay: Hashable, Sendable {
    /// Where it is.
    public let address: RelayAddress
    /// The key that it must have.
    public let pin: RelayPin
    /// The contact whose card names it; `nil` if the profile itself uses it.
    public let namedBy: String?

    /// A relay, and the contact who named it.
    public init(address: RelayAddress, pin: RelayPin, namedBy: String? = nil) {
        self.address = address
        self.pin = pin
        self.namedBy = namedBy
    }

    /// Whether they have the same address and key, regardless of who named them.
    public static func == (left: Self, right: Self) -> Bool { left.address == right.address && left.pin == right.pin }

    /// Hashes the address and the key.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(address)
        hasher.combine(pin)
    }
}

/// Whether a relay can be reached.
public enum RelayState: Hashable, Sendable {
    /// Being connected to.
    case connecting
    /// Connected.
    case connected
    /// Connected, and the relay has no room for what is sent to it. That waits, and is tried again.
    case full
    /// Not reached; tried again after a pause.
    case waiting(RelayPause)
    /// Trying again soon is pointless: its key or its pass is wrong, or what is there is no relay that Kith can talk to.
    case refused(RelayConnectionError)
}

/// An invite of this profile's.
public struct OpenInvite: Hashable, Sendable {
    /// The invite's number.
    public let id: InboxID
    /// The invite to pass on.
    public let invite: Invite
    /// Whether more than one person may use it.
    public let isReusable: Bool
}
