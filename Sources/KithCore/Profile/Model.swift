import KithWire

/// The number of a conversation in this profile.
public struct ConversationID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number, from 1 on.
    public let rawValue: UInt64
    /// Takes a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Orders by number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The number of a contact in this profile.
public struct ContactID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number, from 1 on.
    public let rawValue: UInt64
    /// Takes a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Orders by number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The number of an inbox of this profile, such as that of an open invite.
public struct InboxID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number, from 1 on.
    public let rawValue: UInt64
    /// Takes a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Orders by number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The reason to believe that a key belongs to a contact.
public enum Trust: UInt8, Hashable, Sendable, Comparable {
    /// None: the key came from the relay or from a member of a group.
    case unverified = 0
    /// The contact used an invite made for one person. Another person who got hold of the invite could have used it instead.
    case usedMyInvite
    /// The key came in the contact's own invite.
    case invite
    /// The safety numbers were compared.
    case compared

    /// Orders by strength.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Whether the key came through a channel that the relay has no part in.
    public var isVerified: Bool { self != .unverified }
}

/// A person that this profile knows.
public struct Contact: Hashable, Sendable {
    /// The contact's number.
    public let id: ContactID
    /// This profile's name for the contact. No two contacts have the same name.
    public var name: String
    /// The key pinned when the contact was first seen.
    public let accountKey: AccountKey
    /// The reason to believe the key.
    public var trust: Trust
    /// Another key that claims to belong to this contact. Nothing is sent to the contact until the user decides.
    public var conflictingKey: AccountKey?
    /// The contact's address for new conversations, if known.
    public var inbox: InboxAddress?
    /// The registered name under which the contact was found at a relay, if any.
    public var registeredName: Name?
    /// Whether the contact is known only from conversations that the user has not accepted.
    public var isStranger = false
}

/// The state of a conversation: usable, or the reason why not.
public enum ConversationStatus: Hashable, Sendable {
    /// It is being created or joined. Messages wait.
    case preparing
    /// It can be used.
    case active
    /// This member removed this device.
    case removed(by: String)
    /// This device left.
    case left
    /// An entry can't be applied, so no later entry is applied either. A member can add this device again, or the user can leave.
    case stopped(seq: UInt64, reason: StopReason)
}

/// The reason why a conversation stopped.
public enum StopReason: UInt8, Hashable, Sendable {
    /// A member made a change that breaks the rules.
    case invalidCommit = 1
    /// The relay no longer has entries that this device needs.
    case trimmed
    /// The relay does not know the conversation, or does not let this device in.
    case denied
    /// The conversation's channel was closed.
    case closed
    /// The relay has a wrong entry, or none, at the next place of the log.
    case brokenLog
    /// This device is new (a restored backup): a member has to add it again.
    case restored
    /// The other person's address no longer works. That person never joined.
    case notReachable
    /// The relay returned another account's key for the other person. That person never joined.
    case wrongAccount
}

/// A conversation in a list.
public struct ConversationSummary: Hashable, Sendable {
    /// The conversation's number.
    public let id: ConversationID
    /// Its name here: the contact's, or the group's.
    public let name: String
    /// The other person, if it is a conversation of two; `nil` also if that person's key has changed since.
    public let contact: ContactID?
    /// Whether it is a conversation of two.
    public let isDirect: Bool
    /// Its state.
    public let status: ConversationStatus
    /// The members, this device's account included.
    public let memberCount: Int
    /// The number of messages not marked as read.
    public let unread: Int
    /// The place in the log up to which everything was marked as read.
    public let readThrough: UInt64
    /// The last entry's place in the log.
    public let lastSeq: UInt64
    /// The time at which the last message came, in milliseconds since 1970; 0 if there is none.
    package let lastActivityMs: UInt64
    /// The relay that has it.
    public let relay: RelayAddress
    /// The key that the relay must have.
    public let relayPin: RelayPin
    /// Whether the relay showed members different logs. Sending then waits for the user's decision.
    public let isSuspect: Bool
    /// Whether a stranger began it and the user has not accepted it. Until then, nothing is sent there and nothing is fetched.
    public var isPending = false
    /// Whether another member has written to the log since this device joined.
    public var hasAnswer = true
    /// Whether an invitation to it has not reached the invited person's inbox yet.
    public var isInviting = false
}

/// A member of a conversation.
public struct Member: Hashable, Sendable {
    /// Whether the device belongs to this profile's own account.
    public let isMe: Bool
    /// The contact; `nil` for this profile itself, and for a key that no longer belongs to a contact.
    public let contact: ContactID?
    /// This profile's name for the member.
    public let name: String
    /// The reason to believe the member's key.
    public let trust: Trust
    /// The member's name for the device.
    public let deviceName: String
}

/// An event of a profile.
public enum KithEvent: Hashable, Sendable {
    /// A message was stored: a new one, or one whose delivery has advanced.
    case message(Message)
    /// A conversation is new or has changed.
    case conversation(ConversationSummary)
    /// A contact is new or has changed.
    case contact(Contact)
    /// The state of the connection to a relay changed.
    case relay(KnownRelay, RelayState)
    /// A member proved to be here now, in the same group, and signed its view of the log.
    case present(ConversationID, ContactID, name: String, LogComparison)
    /// Somebody used an invite.
    case inviteUsed(InboxID, ConversationID)
    /// A problem that does not belong to a message. Warnings of one kind that follow each other within ten minutes are reported
    /// for the first, the tenth and the hundredth time.
    case warning(ConversationID, Warning, times: Int)
    /// A letter to a public address invited this device to a conversation at another relay. The invitation was dropped: a
    /// stranger who knows a name must not make a device connect to a relay of their choice.
    case invitationPassedOver(RelayAddress)
    /// This device's clock or another clock is wrong. Reported once for each clock, and again when the difference changes.
    case clock(ClockDifference)
    /// The limit of conversations that strangers began is reached. Further letters stay at the relay until the user accepts or
    /// declines some.
    case tooManyPending
    /// Another person holds a name under which this profile was registered at a relay.
    case nameLost(Name, RelayAddress)
    /// The subscriber was too slow, and events were dropped. Read again everything that is shown.
    case missed
}

/// A member's view of the log, compared with this device's.
public enum LogComparison: Hashable, Sendable {
    /// They are the same.
    case same
    /// The relay has shown the member this many more entries. They may be on their way here.
    case ahead(by: UInt64)
    /// The relay has shown the member this many fewer entries, and otherwise the same log.
    case behind(by: UInt64)
    /// The relay showed different logs.
    case differs
}

/// A relay as this profile knows it: an address, and the key that the relay must have. Two relays may share an address; they are
/// the same relay only if their keys are equal.
public struct KnownRelay: Hashable, Sendable {
    /// The relay's address.
    public let address: RelayAddress
    /// The key that the relay must have.
    public let pin: RelayPin
    /// The contact whose card names it; `nil` if the profile itself uses it.
    public let namedBy: String?

    /// A relay, and the contact who named it.
    public init(address: RelayAddress, pin: RelayPin, namedBy: String? = nil) {
        self.address = address
        self.pin = pin
        self.namedBy = namedBy
    }

    /// Compares addresses and keys, regardless of ``namedBy``.
    public static func == (left: Self, right: Self) -> Bool { left.address == right.address && left.pin == right.pin }

    /// Hashes the address and the key.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(address)
        hasher.combine(pin)
    }
}

/// The state of the connection to a relay.
public enum RelayState: Hashable, Sendable {
    /// The connection is being made.
    case connecting
    /// Connected.
    case connected
    /// Connected, but the relay has no room. Requests that take space wait and are retried.
    case full
    /// Not reached; retried after a pause.
    case waiting(RelayPause)
    /// An early retry is pointless: the relay's key or the pass is wrong, or the server is not a relay that Kith can talk to.
    case refused(RelayConnectionError)
}

/// An open invite of this profile.
public struct OpenInvite: Hashable, Sendable {
    /// The invite's number.
    public let id: InboxID
    /// The invite to pass on.
    public let invite: Invite
    /// Whether more than one person may use it.
    public let isReusable: Bool
}
