import KithWire

/// The decisions of one round.
struct HubRound {
    /// The time of the round by the machine's clock, in milliseconds since 1970.
    var nowMs: UInt64 = 0
    /// The time of the round on a monotonic clock, in nanoseconds.
    var uptime: Int64 = 0
    var mutations: [StoreMutation] = []
    /// The answers, in the order of sending. An answer that depends on a mutation refers to the mutation.
    var answers: [PendingAnswer] = []
    /// Channels with a tentative state, in the order of their first entry.
    var channels: [HubChannel] = []
    /// Requests that require no access right and could not be answered from memory, in the order of arrival.
    var unproven: [HubEvent] = []
    var whispers: [(channel: HubChannel, epoch: UInt64, payload: ArraySlice<UInt8>)] = []
}

/// An answer that is sent when its round is over.
struct PendingAnswer {
    let address: ReplyAddress
    let reply: Reply
    var effect: RoundOutput.Effect = .none
    /// Index of the mutation on which `reply` depends. `reply` is sent only if the mutation is committed. If the store reports a
    /// conflict, the hub decides the request `retry` again.
    var condition: (mutation: Int, channel: ChannelID, retry: ClientFrame)?
}
