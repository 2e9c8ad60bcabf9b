import MLS

/// The live checks of a conversation, and the members that have proved to be online.
struct Presence {
    /// The nonce of the challenge that waits for answers.
    private var nonce: [UInt8]?
    /// Members that have answered the challenge.
    private var answered: Set<LeafIndex> = []
    /// Whether the user looks at the conversation and wants to know who is online.
    private var isWatched = false
    /// Whether to send a challenge once the log has been read to its end. None was sent yet, or nobody received it because its
    /// epoch was over.
    private(set) var isCheckDue = false
    /// The time at which each member last proved to be online, in milliseconds.
    private var provenAt: [LeafIndex: UInt64] = [:]
    /// The time at which each member was last challenged in return in this epoch, in milliseconds.
    private var askedBackAt: [LeafIndex: UInt64] = [:]
    /// The time since which answers to challenges are counted, in milliseconds, and their number.
    private var answers: (since: UInt64, count: Int) = (0, 0)

    /// Notes that the user looks at the conversation. From now on, members that come online are challenged too.
    mutating func watch() {
        isWatched = true
        nonce = nil
        // A challenge is due until a member answers: the epoch may end before anyone receives it.
        isCheckDue = true
    }

    /// The nonce for a challenge. An earlier challenge's nonce is used again, so that answers under way stay valid.
    mutating func challenge(_ random: RandomSource) -> [UInt8] {
        if let nonce { return nonce }
        let fresh = random.bytes(32)
        nonce = fresh
        answered = []
        return fresh
    }

    /// Decides whether to challenge a member in return for its challenge. The member has just come online, and has not received
    /// earlier challenges. In a large group the answer is no, because everyone would challenge everyone.
    mutating func asksBack(_ leaf: LeafIndex, memberCount: Int, at now: UInt64) -> Bool {
        let last = max(provenAt[leaf] ?? 0, askedBackAt[leaf] ?? 0)
        guard isWatched, last + ClientLimits.presenceMs < now, memberCount <= ClientLimits.membersWithReceipts else {
            return false
        }
        askedBackAt[leaf] = now
        if answered.contains(leaf) { nonce = nil }
        return true
    }

    /// Decides whether to answer another challenge. A member that sends challenges without end must not hold up other requests to
    /// the relay.
    mutating func mayAnswer(at now: UInt64) -> Bool {
        if now < answers.since || now >= answers.since + ClientLimits.presenceMs { answers = (now, 0) }
        answers.count += 1
        return answers.count <= ClientLimits.liveAnswers
    }

    /// Whether a nonce belongs to the challenge that waits for answers.
    func isAwaited(_ challenge: [UInt8]) -> Bool { nonce == challenge }

    /// Notes that a member proved to be online.
    ///
    /// - Returns: whether the member had not answered this challenge before. The same answer again is a recording.
    mutating func didProve(_ leaf: LeafIndex, at now: UInt64) -> Bool {
        guard answered.insert(leaf).inserted else { return false }
        provenAt[leaf] = now
        isCheckDue = false
        return true
    }

    /// Permits new challenges in return, because members may have missed those of an epoch that is over.
    mutating func didCatchUp() { askedBackAt = [:] }

    /// Ends the challenge with the connection. Members may come online while this device is away.
    mutating func resetConnection() {
        nonce = nil
        isCheckDue = isWatched
    }
}
