import KithWire

/// The output of one round for the connections of one event loop. The whole output is passed to the loop in one step.
struct RoundOutput: Sendable {
    /// Answers, in the order of the requests.
    var answers: [Answer] = []
    /// Entries and whispers for followers. Broadcasts are sent after the answers.
    var broadcasts: [Broadcast] = []

    var isEmpty: Bool { answers.isEmpty && broadcasts.isEmpty }

    struct Answer: Sendable {
        let connection: ConnectionNumber
        let requestID: UInt32
        let reply: Reply
        var effect: Effect = .none
    }

    /// The change that an answer makes to its connection.
    enum Effect: Sendable {
        case none
        /// The client has said hello in time.
        case welcomed
        /// A follow begins.
        case follows(ChannelID, FollowRange)
        /// The connection stops following the channel.
        case unfollows(ChannelID)
        /// The connection closes after the answer.
        case closes
    }

    struct Broadcast: Sendable {
        let channel: ChannelID
        let content: Content
        /// The followers on this event loop.
        let followers: [ConnectionNumber]
    }

    enum Content: Sendable {
        /// Consecutive entries of the followed epoch. Only the last entry may be the epoch's turn.
        case entries([Entry])
        case whisper(epoch: UInt64, payload: ArraySlice<UInt8>)
        /// The channel has entries up to this seq. The new entries were not broadcast, so the follower has to read them from the
        /// store.
        case advanced(toSeq: UInt64)
        /// The channel was closed.
        case gone
    }
}

/// The range of entries that a follow has to send, as known when the follow begins.
struct FollowRange: Sendable {
    let epoch: UInt64
    /// The first seq to send.
    let nextSeq: UInt64
    /// The last seq of the epoch so far.
    let lastSeq: UInt64
    /// Whether the entry `lastSeq` is the epoch's turn. After its turn, the epoch has no more entries.
    let hasEnded: Bool
}
