import KithWire

/// The purpose of a request.
enum RequestPurpose: Sendable {
    case createChannel(ConversationID)
    case present(ConversationID, epoch: UInt64)
    case append(ConversationID, EntryID)
    case turn(ConversationID, EntryID)
    case whisper
    case closeChannel(ConversationID)
    case createInbox(InboxID)
    case presentInbox(InboxID)
    case deposit(InboxID)
    case closeInbox(InboxID)
    /// Dropping what was read, up to a seq.
    case trimInbox(InboxID, through: UInt64)
    /// Proving the right to take a key package out of somebody's inbox, and taking it.
    case presentTarget(ConversationID, ChannelID)
    case withdraw(ConversationID, ChannelID)
    case createDelivery(UInt64)
    case presentDelivery(UInt64)
    case deliver(UInt64, part: EntryID)
    case presentParcel(ParcelPurpose)
    case name(NameAsker)

    /// Whether the relay stores something new for it.
    var takesRoom: Bool {
        switch self {
        case .createChannel, .append, .turn, .createInbox, .deposit, .createDelivery, .deliver, .name: true
        default: false
        }
    }
}

/// The purpose of a follow.
enum FollowPurpose: Sendable {
    case conversation(ConversationID, epoch: UInt64)
    case inbox(InboxID)
    case parcel(ParcelPurpose)
}

/// The numbers of requests and follows that are under way, each with what it is for.
struct RequestTags {
    private var last: UInt64 = 0
    private var requests: [UInt64: (relay: RelayID, purpose: RequestPurpose)] = [:]
    private var follows: [UInt64: (relay: RelayID, purpose: FollowPurpose)] = [:]

    mutating func new(_ relay: RelayID, _ purpose: RequestPurpose) -> UInt64 {
        last += 1
        requests[last] = (relay, purpose)
        return last
    }

    mutating func new(_ relay: RelayID, _ purpose: FollowPurpose) -> UInt64 {
        last += 1
        follows[last] = (relay, purpose)
        return last
    }

    /// The purpose of an answered request; `nil` if it was not asked on this connection.
    mutating func takeRequest(_ tag: UInt64, _ relay: RelayID) -> RequestPurpose? {
        guard let request = requests[tag], request.relay == relay else { return nil }
        requests[tag] = nil
        return request.purpose
    }

    func follow(_ tag: UInt64, _ relay: RelayID) -> FollowPurpose? {
        guard let follow = follows[tag], follow.relay == relay else { return nil }
        return follow.purpose
    }

    mutating func takeFollow(_ tag: UInt64, _ relay: RelayID) -> FollowPurpose? {
        defer { follows[tag] = nil }
        return follow(tag, relay)
    }

    /// Forgets what was under way at a relay.
    mutating func forget(_ relay: RelayID) {
        requests = requests.filter { $0.value.relay != relay }
        follows = follows.filter { $0.value.relay != relay }
    }
}
