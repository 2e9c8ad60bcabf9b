import KithWire

/// The working state of a round of the hub.
extension Hub {
    /// The decisions of a round so far.
    struct Round {
        var nowMs: UInt64 = 0
        var uptime: Int64 = 0
        var mutations: [StoreMutation] = []
        /// Answers in order; those that depend on a mutation name it.
        var answers: [PendingAnswer] = []
        /// Channels with a tentative state, in the order of their first entry.
        var channels: [HubChannel] = []
        /// Requests that need no right and were not answered from memory, in their order.
        var unproved: [IntakeItem] = []
        var whispers: [(channel: HubChannel, epoch: UInt64, payload: ArraySlice<UInt8>)] = []
    }

    /// A channel about which the store is being asked.
    struct Busy {
        /// The number of tasks at work on it.
        var tasks = 0
        /// Requests that wait until they are done.
        var waiting: [IntakeItem] = []
    }

    struct PendingAnswer {
        let connection: ConnectionNumber
        let requestID: UInt32
        let reply: Reply
        var effect: LoopBatch.Effect = .none
        /// Index of the mutation that has to be committed for `reply` to be true, and the request to try again if
        /// the store reports a conflict.
        var condition: (mutation: Int, channel: ChannelID, retry: ClientFrame)?
    }
}
