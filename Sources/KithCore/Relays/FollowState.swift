import KithWire

/// The number of a follow on its connection, chosen by the caller.
package struct FollowID: Hashable, Sendable {
    package let value: UInt64
    package init(value: UInt64) { self.value = value }
}

/// The part of a channel that a follow brings: the entries of one epoch from a seq on.
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

/// One follow of a ``RelaySession``.
///
///     waiting ──an earlier follow of the channel is over──▶ asked ──following──▶ streaming
///       any ──error, epochEnded──▶ over            any ──leave──▶ leaving ──done──▶ over
struct FollowState<Ticket> {
    enum Phase {
        /// `follow` has not gone out: an earlier follow of the channel is leaving.
        case waiting
        /// `follow` went out and has no answer.
        case asked(at: Duration)
        case streaming(nextSeq: UInt64)
        /// `unfollow` went out. Entries that still come are dropped.
        case leaving
    }

    let ticket: Ticket
    let place: FollowTarget
    var phase: Phase
    /// The number of the `follow` request; 0 before it.
    var requestID: UInt32 = 0

    var channel: ChannelID { place.channel }
    var isLeaving: Bool { if case .leaving = phase { true } else { false } }
}
