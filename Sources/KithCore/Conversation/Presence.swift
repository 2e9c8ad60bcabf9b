import MLS

/// The live checks of a conversation that outlast its connections: the user's wish to know who is online, and the limits on
/// challenges. The challenge itself ends with the connection; see ``LiveChallenge``.
struct Presence {
    /// Whether the user looks at the conversation and wants to know who is online.
    private(set) var isWatched = false
    /// The time at which each member last proved to be online, in milliseconds.
    private var provenAt: [LeafIndex: UInt64] = [:]
    /// The time since which answers to challenges are counted, in milliseconds, and their number.
    private var answers: (since: UInt64, count: Int) = (0, 0)

    /// Notes that the user looks at the conversation. From now on, members that come online are challenged too.
    mutating func watch() { isWatched = true }

    /// Decides whether to challenge a member in return for its challenge. The member has just come online, and has not received
    /// earlier challenges. In a large group the answer is no, because everyone would challenge everyone.
    func asksBack(_ leaf: LeafIndex, _ challenge: LiveChallenge, memberCount: Int, at now: UInt64) -> Bool {
        let last = max(provenAt[leaf] ?? 0, challenge.askedBackAt[leaf] ?? 0)
        return isWatched && last + ClientLimits.presenceMs < now && memberCount <= ClientLimits.membersWithReceipts
    }

    /// Decides whether to answer another challenge. A member that sends challenges without end must not hold up other requests to
    /// the relay.
    mutating func mayAnswer(at now: UInt64) -> Bool {
        if now < answers.since || now >= answers.since + ClientLimits.presenceMs { answers = (now, 0) }
        answers.count += 1
        return answers.count <= ClientLimits.liveAnswers
    }

    /// Notes that a member proved to be online.
    mutating func didProve(_ leaf: LeafIndex, at now: UInt64) { provenAt[leaf] = now }
}

/// The challenge to the members who are online, which ends with the connection: members may come online while this device is
/// away.
struct LiveChallenge {
    /// The nonce of the challenge that waits for answers.
    private var nonce: [UInt8]?
    /// Members that have answered the challenge.
    private var answered: Set<LeafIndex> = []
    /// Whether a member has answered since the user asked.
    private(set) var isAnswered = false
    /// The time at which each member was last challenged in return in this epoch, in milliseconds.
    private(set) var askedBackAt: [LeafIndex: UInt64] = [:]

    /// Begins anew because the user asks. A challenge is due until a member answers: the epoch may end before anyone receives it.
    mutating func beginAgain() {
        nonce = nil
        isAnswered = false
    }

    /// The nonce for a challenge. An earlier challenge's nonce is used again, so that answers under way stay valid.
    mutating func nonce(from random: RandomSource) -> [UInt8] {
        if let nonce { return nonce }
        let fresh = random.bytes(32)
        nonce = fresh
        answered = []
        return fresh
    }

    /// Notes that a member is challenged in return. A member that has answered the challenge would take it for a repeat, so the
    /// next challenge gets another nonce.
    mutating func askBack(_ leaf: LeafIndex, at now: UInt64) {
        askedBackAt[leaf] = now
        if answered.contains(leaf) { nonce = nil }
    }

    /// Whether a nonce belongs to the challenge that waits for answers.
    func isAwaited(_ challenge: [UInt8]) -> Bool { nonce == challenge }

    /// Notes that a member proved to be online.
    ///
    /// - Returns: whether the member had not answered this challenge before. The same answer again is a recording.
    mutating func didProve(_ leaf: LeafIndex) -> Bool {
        guard answered.insert(leaf).inserted else { return false }
        isAnswered = true
        return true
    }

    /// Permits new challenges in return, because members may have missed those of an epoch that is over.
    mutating func didCatchUp() { askedBackAt = [:] }
}
