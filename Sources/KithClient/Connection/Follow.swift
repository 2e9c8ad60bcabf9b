import KithWire
import NIOCore

/// The number of a follow on its connection. A follow that was held back keeps it, although it is asked for again under
/// another request number.
package struct FollowID: Hashable, Sendable {
    package let value: UInt32
    package init(value: UInt32) { self.value = value }
}

/// Where one follow stands.
///
///     waiting ──an earlier follow of the channel is over──▶ asked
///     asked ──following──▶ streaming ──park──▶ parking ──done──▶ parked ──resume──▶ asked again ──▶ …
///       any ──error, epochEnded──▶ over            any ──leave──▶ leaving ──done──▶ over
struct Follow<Ticket> {
    enum Phase {
        /// `follow` has not gone out: an earlier follow of the channel is leaving.
        case waiting
        /// `follow` went out and has no answer. `again` after it had been parked.
        case asked(at: NIODeadline, again: Bool)
        case streaming
        /// `unfollow` went out because the consumer lags; what still comes is dropped and asked for again later.
        case parking(resume: Bool)
        case parked
        /// `unfollow` went out because nobody wants the follow any more.
        case leaving
    }

    let ticket: Ticket
    let channel: ChannelID
    let epoch: UInt64
    let fromSeq: UInt64
    var phase: Phase
    /// The seq of the next entry to hand on. `nil` until the relay has said where it begins.
    var nextSeq: UInt64?
    /// The number of the last `follow` request.
    var requestID: UInt32 = 0

    var isLeaving: Bool { if case .leaving = phase { true } else { false } }

    /// Whether what comes is not to be handed on.
    var isDropping: Bool {
        switch phase {
        case .parking, .parked, .leaving: true
        case .waiting, .asked, .streaming: false
        }
    }
}
