import KithWire

/// The output of one round for the connections of one event loop. It takes one hop per round.
struct RoundOutput: Sendable {
    /// Answers, in the order of the requests.
    var answers: [Answer] = []
    /// Entries and whispers for followers, to be sent after the answers.
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
        /// The connection has said hello and met its first deadline.
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
        /// The followers on this loop.
        let followers: [ConnectionNumber]
    }

    enum Content: Sendable {
        /// Consecutive entries of the followed epoch; only the last one may be its turn.
        case entries([Entry])
        case whisper(epoch: UInt64, payload: ArraySlice<UInt8>)
        /// The channel has entries up to this seq that were not broadcast and have to be read from the store.
        case advanced(toSeq: UInt64)
        /// The channel was closed.
        case gone
    }
}

/// The range of entries that a follow begins with.
struct FollowRange: Sendable {
    let epoch: UInt64
    /// The first seq to send.
    let nextSeq: UInt64
    /// The last seq that the epoch has.
    let lastSeq: UInt64
    /// Whether `lastSeq` is the epoch's turn, after which the epoch has no entries.
    let hasEnded: Bool
}
