import KithWire

/// What one round of the hub has for the connections of one event loop. Handed over whole: one hop for each round.
struct LoopBatch: Sendable {
    /// Answers, in the order of the requests.
    var answers: [Answer] = []
    /// Entries and whispers for followers; after the answers.
    var broadcasts: [Broadcast] = []

    var isEmpty: Bool { answers.isEmpty && broadcasts.isEmpty }

    struct Answer: Sendable {
        let connection: ConnectionNumber
        let requestID: UInt32
        let reply: Reply
        var effect: Effect = .none
    }

    /// What an answer changes at the connection, beside being sent.
    enum Effect: Sendable {
        case none
        /// The connection said hello: its first deadline is met.
        case welcomed
        /// A follow begins.
        case follows(ChannelID, FollowStart)
        /// The connection's follow of the channel ends.
        case unfollows(ChannelID)
        /// Close after sending this.
        case closes
    }

    struct Broadcast: Sendable {
        let channel: ChannelID
        let content: Content
        /// The followers on this loop.
        let followers: [ConnectionNumber]
    }

    enum Content: Sendable {
        /// Consecutive entries of the epoch being followed; only the last may be its turn.
        case entries([Entry])
        case whisper(epoch: UInt64, payload: ArraySlice<UInt8>)
        /// The channel has entries up to this seq that were not broadcast: read them from the store.
        case advanced(toSeq: UInt64)
        /// The channel was closed.
        case gone
    }
}

/// Where a follow begins and what is known to be there already.
struct FollowStart: Sendable {
    let epoch: UInt64
    /// The first seq to send.
    let nextSeq: UInt64
    /// The last seq of the epoch that is there already.
    let lastSeq: UInt64
    /// Whether `lastSeq` is the epoch's turn: then nothing comes after it.
    let hasEnded: Bool
}
