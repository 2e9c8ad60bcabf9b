import KithWire

/// The number of a conversation in this profile.
public struct ConversationID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number, which is at least 1.
    public let rawValue: UInt64
    /// Creates an id from a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Compares the numbers.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The number of a contact in this profile.
public struct ContactID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number, which is at least 1.
    public let rawValue: UInt64
    /// Creates an id from a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Compares the numbers.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The number of an inbox in this profile. Each open invite has an inbox of its own.
public struct InboxID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number, which is at least 1.
    public let rawValue: UInt64
    /// Creates an id from a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Compares the numbers.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The reason why a key is believed to belong to a contact.
public enum Trust: UInt8, Hashable, Sendable, Comparable {
    /// There is no reason to believe the key, which came from the relay or from a member of a group.
    case unverified = 0
    /// The contact has used an invite of this profile that admits only one person. If another person got hold of the invite
    /// first, that person would be taken for the contact.
    case usedMyInvite
    /// The key was in the contact's own invite.
    case invite
    /// The user has compared the safety numbers.
    case compared

    /// Compares the strength of two reasons.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Whether the key was obtained or compared in a way that the relay cannot control.
    public var isVerified: Bool { self != .unverified }
}

/// A person that this profile knows.
public struct Contact: Hashable, Sendable {
    /// The contact's number.
    public let id: ContactID
    /// This profile's name for the contact. No two contacts have the same name.
    public var name: String
    /// The contact's pinned key. This is the first key that was seen for the contact, or a conflicting key that the user has
    /// accepted later.
    public let accountKey: AccountKey
    /// The reason why the key is believed to be the contact's.
    public var trust: Trust
    /// Another key that may be this contact's; `nil` if there is none. While there is one, nothing is sent to
    /// the contact: the user has to decide first.
    public var conflictingKey: AccountKey?
    /// The contact's address for new conversations; `nil` if unknown.
    public var inbox: InboxAddress?
    /// The registered name under which the contact was found at a relay; `nil` if the contact was found in another way.
    public var registeredName: Name?
    /// Whether the contact is known only from conversations that the user has not accepted.
    public var isStranger = false
    /// The newest name that the contact has chosen; `nil` if the contact has not changed its name since it became a contact.
    public var ownName: String?
    /// A text that the contact has sent privately through a group, as a request for a conversation of two. `nil` if there is
    /// none, or after the user has decided about it.
    public var groupRequest: GroupRequest?
    /// The text that the user has sent to the contact privately through a group. When the contact begins a conversation of two,
    /// the text is sent again, as the first message.
    public var waitingText: String?
    /// Whether the user has blocked the contact. The contact's messages, invitations and live checks are dropped.
    public var isBlocked = false
    /// The contact's devices that were replaced.
    var formerDevices = FormerDevices()
}

/// A private request of a member of a group. Accepting it begins a conversation of two.
public struct GroupRequest: Hashable, Sendable {
    /// The group through which the request came.
    public let group: ConversationID
    /// The text.
    public let text: String
    /// The inbox that the contact has made for this profile.
    let inbox: InboxAddress
}

/// The state of a conversation. If the conversation cannot be used, the state includes the reason.
public enum ConversationStatus: Hashable, Sendable {
    /// The conversation is being created or joined. Messages wait.
    case preparing
    /// The conversation can be used.
    case active
    /// The member with this name has removed this device.
    case removed(by: String)
    /// The member with the name `by` has added another device of this account, with the name `device`, in place of this one.
    /// `seq` is the log position of the change that replaced this device.
    case replaced(by: String, device: String, seq: UInt64)
    /// This device has left.
    case left
    /// The conversation cannot continue at the log position `seq`, for the given reason. A member can add this device again, or
    /// the user can leave.
    case stopped(seq: UInt64, reason: StopReason)
}

/// The reason why a conversation stopped.
public enum StopReason: UInt8, Hashable, Sendable {
    /// A member has made a change that breaks the rules.
    case invalidCommit = 1
    /// The relay no longer has entries that this device needs.
    case trimmed
    /// The relay does not know the conversation, or does not give this device access.
    case denied
    /// The conversation's channel was closed.
    case closed
    /// The relay has a wrong entry, or none, at the next position of the log.
    case brokenLog
    /// This device is new, because the profile was restored from a backup. A member has to add the device again.
    case restored
    /// The other person's address no longer works, so that person never joined.
    case notReachable
    /// The relay returned another account's key package for the other person, so that person never joined.
    case wrongAccount
}

/// A conversation in a list.
public struct ConversationSummary: Hashable, Sendable {
    /// The conversation's number.
    public let id: ConversationID
    /// The conversation's name on this device: the contact's name, or the group's.
    public let name: String
    /// The other person of a conversation of two. `nil` if the conversation is a group, if the person is not yet known, or
    /// if another key was pinned for the person.
    public let contact: ContactID?
    /// Whether the conversation is a conversation of two.
    public let isDirect: Bool
    /// The state of the conversation.
    public let status: ConversationStatus
    /// The number of members, including this profile.
    public let memberCount: Int
    /// The number of messages not marked as read.
    public let unread: Int
    /// The position in the log up to which everything is marked as read.
    public let readThrough: UInt64
    /// The position of the last entry in the log.
    public let lastSeq: UInt64
    /// The time of the last message, in milliseconds since 1970; 0 if there is none.
    package let lastActivityMs: UInt64
    /// The address of the conversation's relay.
    public let relay: RelayAddress
    /// The key that the relay must have.
    public let relayPin: RelayPin
    /// Whether the relay has shown different logs to members. If it has, nothing is sent until the user decides.
    public let isSuspect: Bool
    /// Whether a stranger has begun the conversation and the user has not accepted it. Before the user accepts, this device sends
    /// nothing in the conversation and fetches nothing.
    public var isPending = false
    /// The stranger who began the conversation. `nil` if the conversation is not pending, or if the stranger is unknown.
    public var inviter: ContactID?
    /// The beginning of the texts that the stranger has written. Empty if the conversation is not pending.
    public var firstLines = ""
    /// Whether the user has archived the conversation. Lists leave an archived conversation out until a message arrives. If the
    /// conversation is also muted, lists leave it out even then.
    public var isArchived = false
    /// Whether the user has muted the conversation. Its messages are not announced, but still count as unread.
    public var isMuted = false
    /// Whether another member has invited this device, or has written to the log. In a conversation of two, only what came
    /// after this device's last addition of the other person's device counts.
    public var hasAnswer = true
    /// Whether an invitation to the conversation is still on its way to the invited person's inbox.
    public var isInviting = false
    /// The time after which new messages of the conversation expire, in seconds; `nil` for never.
    package(set) public var timerSeconds: UInt32?
    /// The seqs of the pinned messages, in the order in which they were pinned.
    package(set) public var pinned: [UInt64] = []
}

/// A member of a conversation.
public struct Member: Hashable, Sendable {
    /// Whether the member is this profile's own account.
    public let isMe: Bool
    /// The contact; `nil` for this profile itself, and for a member whose key belongs to no contact any more.
    public let contact: ContactID?
    /// This profile's name for the member.
    public let name: String
    /// The reason why the key is believed to be the member's.
    public let trust: Trust
    /// The name of the member's device, which the member has chosen.
    public let deviceName: String
    /// The device's id, 16 random bytes. Each restored backup is a new device.
    public var deviceID: [UInt8] = []
}

/// An event of a profile.
public enum KithEvent: Hashable, Sendable {
    /// A message is new, or its delivery has advanced. The message is already stored.
    case message(Message)
    /// An earlier message has changed. The first value is the message in its new state.
    case messageChanged(Message, MessageUpdate)
    /// Messages of a conversation have changed, and the subscriber was too slow to get each change. The subscriber has to read the
    /// messages that it shows again.
    case messagesChanged(ConversationID)
    /// A conversation is new or has changed.
    case conversation(ConversationSummary)
    /// A contact is new or has changed.
    case contact(Contact)
    /// The state of the connection to a relay has changed.
    case relay(KnownRelay, RelayState)
    /// A member has proved that it is online now and that it has the same group as this device. The last value compares the
    /// member's signed view of the log with this device's view.
    case memberIsOnline(ConversationID, ContactID, name: String, LogComparison)
    /// The members who are typing in a conversation have changed. The list has all of them, in the order in which they began; it is
    /// empty when nobody is typing any more. A member leaves the list with its next message, 8 seconds after its last report, and
    /// when the connection ends. Only small groups report typing, of at most ``ClientLimits/membersWithReceipts`` members.
    case typing(ConversationID, [TypingMember])
    /// A person has used an invite.
    case inviteUsed(InboxID, ConversationID)
    /// A problem that does not belong to a message. If warnings of one kind repeat, each within ten minutes of the previous
    /// one, only the first, the tenth, the hundredth and so on are reported. A warning that logs differ, or that a message is
    /// not sent, is always reported.
    case warning(ConversationID, Warning, times: Int)
    /// A letter to a public address invited this device to a conversation at another relay. The invitation was dropped, because
    /// otherwise a stranger who knows a name could make a device connect to any relay.
    case invitationPassedOver(RelayAddress)
    /// This device's clock or another clock is wrong. The difference is reported once for each relay's clock, and again when
    /// the difference has changed by an hour or more. Only one contact's clock is reported.
    case clock(ClockDifference)
    /// The number of pending conversations that strangers began has reached its maximum. Further letters stay at the relay
    /// until the user accepts or declines some of these conversations.
    case tooManyPending
    /// This profile has lost a name that it had registered at a relay: the name belongs to another person now.
    case nameLost(Name, RelayAddress)
    /// News about the files of a message: they could not be sent, a file could not be downloaded, or a file is on this device
    /// now. The second value is the message's id.
    case file(ConversationID, EntryID, FileNotice)
}

/// A member who is typing.
public struct TypingMember: Hashable, Sendable {
    /// The member.
    public let contact: ContactID
    /// This profile's name for the member.
    public let name: String
}

/// The result of comparing a member's view of the log with this device's view.
public enum LogComparison: Hashable, Sendable {
    /// The views are equal.
    case same
    /// The relay has shown this many more entries to the member than to this device. This device might still receive the
    /// additional entries.
    case ahead(by: UInt64)
    /// The relay has shown this many fewer entries to the member than to this device. The entries that it has shown to both
    /// devices are the same.
    case behind(by: UInt64)
    /// The relay has shown different logs to the member and to this device.
    case differs
}

/// A relay that this profile knows: an address, and the key that the relay must have. Relays with the same address and different
/// keys are different relays.
public struct KnownRelay: Hashable, Sendable {
    /// The relay's address.
    public let address: RelayAddress
    /// The key that the relay must have.
    public let pin: RelayPin
    /// The name of the contact whose card names the relay; `nil` if the profile itself uses the relay.
    public let namedBy: String?

    /// Creates a value from its parts.
    public init(address: RelayAddress, pin: RelayPin, namedBy: String? = nil) {
        self.address = address
        self.pin = pin
        self.namedBy = namedBy
    }

    /// Compares addresses and keys, but not ``namedBy``.
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
    /// The relay is connected.
    case connected
    /// The relay is connected, but has no room. Requests that take space wait and are retried.
    case full
    /// The relay was not reached. The next attempt follows after a pause.
    case waiting(RelayPause)
    /// The relay, or another server at its address, refused the connection, and an immediate retry is useless: the relay's key
    /// or the pass is wrong, or the server is not a relay that Kith can use.
    case refused(RelayConnectionError)
}

/// An open invite of this profile.
public struct OpenInvite: Hashable, Sendable {
    /// The invite's number.
    public let id: InboxID
    /// The invite to pass on.
    public let invite: Invite
    /// Whether several people may use the invite.
    public let isReusable: Bool
}
