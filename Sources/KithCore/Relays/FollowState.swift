import KithWire

/// The number of a follow on its connection. The caller chooses it.
package struct FollowID: Hashable, Sendable {
    package let value: UInt64
    package init(value: UInt64) { self.value = value }
}

/// The entries that a follow requests. The entries belong to one epoch. The first entry has the seq ``fromSeq``.
package struct FollowTarget: Hashable, Sendable {
    package let channel: ChannelID
    package let epoch: UInt64
    package let fromSeq: UInt64

    package init(_ channel: ChannelID, epoch: UInt64, fromSeq: UInt64) {
        self.channel = channel
        self.epoch = epoch
        self.fromSeq = fromSeq
    }
}

/// The state of one follow of a ``RelaySession``.
///
///     waiting ──an earlier follow of the channel is over──▶ asked ──following──▶ streaming
///       any ──error, epochEnded──▶ over            any ──leave──▶ leaving ──done──▶ over
struct FollowState<Ticket> {
    enum Phase {
        /// The client has not sent the `follow` request yet. An earlier follow of the channel has to end first.
        case waiting
        /// The `follow` request was sent and has no answer.
        case asked(at: Duration)
        case streaming(nextSeq: UInt64)
        /// The `unfollow` request was sent. Entries that still arrive are dropped.
        case leaving
    }

    let ticket: Ticket
    let place: FollowTarget
    var phase: Phase
    /// The number of the `follow` request; 0 before it is sent.
    var requestID: UInt32 = 0

    var channel: ChannelID { place.channel }
    var isLeaving: Bool { if case .leaving = phase { true } else { false } }
}
