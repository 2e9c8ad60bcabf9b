import KithWire
import MLS

/// The members who are typing in a conversation, and the limits on reports about typing. All of it is in memory only.
struct Typists {
    /// The time at which this device last told the members that the user is typing, in milliseconds; see ``Clocks/now``.
    private var toldAt: UInt64?
    /// The members who are typing, in the order in which they began, each with the time at which the report of it ends.
    private var typing: [(member: ContactID, until: UInt64)] = []
    /// The last report, or the last message, of each leaf. Reports that are not newer do not count. If a leaf becomes another
    /// member's, that member's reports are newer, because the log has grown.
    private var last: [LeafIndex: Moment] = [:]

    /// The place of a report among its sender's reports and messages. The relay can repeat a report, and can deliver it after the
    /// message that was typed. Such a report is not newer than the last one, or than the message.
    struct Moment: Comparable {
        /// The seq up to which the sender had read the log, or the seq of the sender's message.
        let seq: UInt64
        /// The time of a report by the sender's clock, in milliseconds since 1970; 0 for a message.
        let sentAt: UInt64

        static func < (left: Self, right: Self) -> Bool { (left.seq, left.sentAt) < (right.seq, right.sentAt) }
    }

    // MARK: This device

    /// Returns whether to tell the members now that the user is typing, and notes that they are told. The result is `true` at most
    /// once in ``ClientLimits/typingIntervalMs``.
    mutating func mayTell(at now: UInt64) -> Bool {
        if let toldAt, now < toldAt.plus(ClientLimits.typingIntervalMs) { return false }
        toldAt = now
        return true
    }

    // MARK: Others

    /// The members who are typing, in the order in which they began.
    var members: [ContactID] { typing.map(\.member) }

    /// The time at which the next report ends, in milliseconds; see ``Clocks/now``. `nil` if nobody is typing.
    var due: UInt64? { typing.map(\.until).min() }

    /// Whether a report is newer than the sender's last report and last message.
    func isNew(_ moment: Moment, of leaf: LeafIndex) -> Bool { last[leaf].map { $0 < moment } ?? true }

    /// Handles the report that a member is typing.
    ///
    /// - Returns: whether the member has just begun.
    mutating func didHear(_ moment: Moment, of leaf: LeafIndex, _ member: ContactID, at now: UInt64) -> Bool {
        last[leaf] = moment
        let until = now.plus(ClientLimits.typingShownMs)
        if let index = typing.firstIndex(where: { $0.member == member }) {
            typing[index].until = until
            return false
        }
        typing.append((member, until))
        return true
    }

    /// Handles a message of a member at a seq, which ends the member's typing.
    ///
    /// - Returns: whether the member was typing.
    mutating func didSay(_ member: ContactID, _ leaf: LeafIndex, at seq: UInt64) -> Bool {
        last[leaf] = Moment(seq: seq, sentAt: 0)
        return end { $0 == member }
    }

    /// Ends the typing of some members, or of all if the connection has ended.
    ///
    /// - Returns: whether one of them was typing.
    mutating func end(_ isMeant: (ContactID) -> Bool = { _ in true }) -> Bool {
        let before = typing.count
        typing.removeAll { isMeant($0.member) }
        return typing.count < before
    }

    /// Ends the reports whose time is over.
    ///
    /// - Returns: whether there were any.
    mutating func expire(at now: UInt64) -> Bool {
        let before = typing.count
        typing.removeAll { $0.until <= now }
        return typing.count < before
    }

}
