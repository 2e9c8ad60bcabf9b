import MLS

/// The part of a conversation's live checks that stays when a connection ends: the user's wish to know who is online, and the
/// limits on challenges. The challenge itself ends with the connection; see ``LiveChallenge``.
struct Presence {
    /// Whether the user is looking at the conversation and wants to know who is online.
    private(set) var isWatched = false
    /// The time of each member's last proof that it was online, in milliseconds; see ``Clocks/now``.
    private var provenAt: [LeafIndex: UInt64] = [:]
    /// The current period in which others' challenges and reports about typing are counted, because their number is limited: the
    /// start of the period, in milliseconds, and the number of these whispers so far.
    private var handled: (since: UInt64, count: Int) = (0, 0)

    /// Notes that the user is looking at the conversation. From now on, this device challenges each member that comes online.
    mutating func watch() { isWatched = true }

    /// Returns whether to challenge a member in return for its challenge. The member has just come online, so it has not received
    /// earlier challenges. In a large group, the result is `false`, because otherwise every member would challenge every other.
    func asksBack(_ leaf: LeafIndex, _ challenge: LiveChallenge, memberCount: Int, at now: UInt64) -> Bool {
        let last = max(provenAt[leaf] ?? 0, challenge.askedBackAt[leaf] ?? 0)
        return isWatched && last + ClientLimits.presenceMs < now && memberCount <= ClientLimits.membersWithReceipts
    }

    /// Returns whether to handle another challenge or another report about typing. The number is limited, so that a member who
    /// sends very many whispers neither keeps this device busy nor delays its other requests to the relay.
    mutating func mayHandle(at now: UInt64) -> Bool {
        if now < handled.since || now >= handled.since + ClientLimits.presenceMs { handled = (now, 0) }
        handled.count += 1
        return handled.count <= ClientLimits.liveWhispers
    }

    /// Notes that a member has proved that it is online.
    mutating func didProve(_ leaf: LeafIndex, at now: UInt64) { provenAt[leaf] = now }
}

/// The challenge to the members who are online. It ends with the connection, because members may come online while this device is
/// offline.
struct LiveChallenge {
    /// The nonce of the current challenge; `nil` if there is none.
    private var nonce: [UInt8]?
    /// Members that have answered the current challenge.
    private var answered: Set<LeafIndex> = []
    /// Whether a member has answered since the user last asked who is online.
    private(set) var isAnswered = false
    /// The time at which this device last challenged each member in return, in milliseconds; see ``Clocks/now``. Only the current
    /// epoch counts.
    private(set) var askedBackAt: [LeafIndex: UInt64] = [:]

    /// Begins a new check, because the user asks for it. A challenge is due until a member answers, because the epoch may end
    /// before any member receives the challenge.
    mutating func beginAgain() {
        nonce = nil
        isAnswered = false
    }

    /// Returns the nonce for a challenge. The nonce of an earlier challenge is used again, so that answers to the earlier
    /// challenge are still valid if they arrive later.
    mutating func nonce(from random: RandomSource) -> [UInt8] {
        if let nonce { return nonce }
        let fresh = random.bytes(32)
        nonce = fresh
        answered = []
        return fresh
    }

    /// Notes that a member is challenged in return. If the member has answered the current challenge, the next challenge gets a
    /// new nonce. With the old nonce, this device would consider the member's next answer a replay.
    mutating func askBack(_ leaf: LeafIndex, at now: UInt64) {
        askedBackAt[leaf] = now
        if answered.contains(leaf) { nonce = nil }
    }

    /// Whether a nonce belongs to the current challenge.
    func isAwaited(_ challenge: [UInt8]) -> Bool { nonce == challenge }

    /// Notes that a member has proved that it is online.
    ///
    /// - Returns: `true` if this is the member's first answer to the challenge, `false` if it is a replay of the first answer.
    mutating func didProve(_ leaf: LeafIndex) -> Bool {
        guard answered.insert(leaf).inserted else { return false }
        isAnswered = true
        return true
    }

    /// Forgets which members this device has challenged in return, so that it may do so again at once. An earlier challenge may
    /// not have reached the members, because its epoch was over.
    mutating func didCatchUp() { askedBackAt = [:] }
}
