import MLS

/// The state of the live checks of a conversation: the members that have proved to be here.
struct Presence {
    /// The nonce of a live check that waits for answers.
    private var nonce: [UInt8]?
    /// Members that have answered it.
    private var answered: Set<LeafIndex> = []
    /// Whether somebody looks at the conversation here, and wants to know who is there.
    private var isWatched = false
    /// Whether to ask who is there once the log is here: it was not asked yet, or in an epoch that was over, so that nobody
    /// heard it.
    private(set) var isCheckDue = false
    /// When members last proved to be here, in milliseconds.
    private var provenAt: [LeafIndex: UInt64] = [:]
    /// When members that asked were last asked back in this epoch, in milliseconds.
    private var askedBackAt: [LeafIndex: UInt64] = [:]
    /// Since when answers to challenges are counted, in milliseconds, and how many there were.
    private var answers: (since: UInt64, count: Int) = (0, 0)

    /// The user looks at the conversation. From now on, members that come are asked too.
    mutating func watch() {
        isWatched = true
        nonce = nil
        // Until somebody answers: an epoch may end before anyone hears it.
        isCheckDue = true
    }

    /// The nonce to ask with: the one that is there, so that answers under way stay right, or else a new one.
    mutating func challenge(_ random: RandomSource) -> [UInt8] {
        if let nonce { return nonce }
        let fresh = random.bytes(32)
        nonce = fresh
        answered = []
        return fresh
    }

    /// Whether to ask a member back that asked: it has just come, and has not heard earlier challenges. Not in a large group, in which
    /// everybody would ask everybody.
    mutating func asksBack(_ leaf: LeafIndex, memberCount: Int, at now: UInt64) -> Bool {
        let last = max(provenAt[leaf] ?? 0, askedBackAt[leaf] ?? 0)
        guard isWatched, last + ClientLimits.presenceMs < now, memberCount <= ClientLimits.membersWithReceipts else {
            return false
        }
        askedBackAt[leaf] = now
        if answered.contains(leaf) { nonce = nil }
        return true
    }

    /// Whether one more challenge is answered: a member that asks without end does not hold up other requests to the relay.
    mutating func mayAnswer(at now: UInt64) -> Bool {
        if now < answers.since || now >= answers.since + ClientLimits.presenceMs { answers = (now, 0) }
        answers.count += 1
        return answers.count <= ClientLimits.liveAnswers
    }

    /// Whether a nonce is that of the challenge that waits for answers.
    func isAwaited(_ challenge: [UInt8]) -> Bool { nonce == challenge }

    /// A member proved to be here.
    ///
    /// - Returns: whether it had not answered this challenge before: the same answer again is a recording.
    mutating func didProve(_ leaf: LeafIndex, at now: UInt64) -> Bool {
        guard answered.insert(leaf).inserted else { return false }
        provenAt[leaf] = now
        isCheckDue = false
        return true
    }

    /// The log is here: whoever was asked in an epoch that is over may not have heard it.
    mutating func didCatchUp() { askedBackAt = [:] }

    /// The connection is over: members may come while this device is away.
    mutating func resetConnection() {
        nonce = nil
        isCheckDue = isWatched
    }
}
