import KithWire

/// The purpose of a request. The purpose says which machine gets the answer, and which question that machine has asked.
enum RequestPurpose: Sendable {
    case conversation(ConversationID, ConversationRequest)
    case inbox(InboxID, InboxRequest)
    case delivery(UInt64, DeliveryRequest)
    case parcel(ParcelPurpose)
    case name(NameAsker)
    /// The reservation of a blob.
    case upload(TransferID)

    /// Whether the relay stores something new for the request.
    var takesRoom: Bool {
        switch self {
        case .conversation(_, .createChannel), .conversation(_, .append), .conversation(_, .turn): true
        case .inbox(_, .create), .inbox(_, .deposit), .delivery(_, .create), .delivery(_, .part), .name: true
        case .conversation, .inbox, .delivery, .parcel, .upload: false
        }
    }
}

/// A request of a conversation.
enum ConversationRequest: Sendable {
    case createChannel
    case present(epoch: UInt64)
    case append(EntryID)
    case turn(EntryID)
    case whisper
    case closeChannel
    /// Presents the token for taking a key package from another device's inbox.
    case presentTarget(ChannelID)
    case withdraw(ChannelID)
}

/// A request about one of this device's inboxes.
enum InboxRequest: Sendable {
    case create
    case present
    case deposit
    case close
    /// Drops the entries up to a seq, all of which were read.
    case trim(through: UInt64)
}

/// A request of a delivery.
enum DeliveryRequest: Sendable {
    case create
    case present
    /// Appends a part of the delivery.
    case part(EntryID)
}

/// The purpose of a follow.
enum FollowPurpose: Sendable {
    case conversation(ConversationID, epoch: UInt64)
    case inbox(InboxID)
    case parcel(ParcelPurpose)
}

/// The tags of the unanswered requests and of the current follows, each with its purpose.
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

    /// Removes an answered request and returns the purpose of the request; `nil` if the request was not sent on this connection.
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

    /// Forgets the unanswered requests to a relay, and the follows at this relay.
    mutating func forget(_ relay: RelayID) {
        requests = requests.filter { $0.value.relay != relay }
        follows = follows.filter { $0.value.relay != relay }
    }
}
