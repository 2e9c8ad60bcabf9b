import MLS
import Testing

@testable import KithCore

@Suite("Presence")
struct PresenceTests {
    private var presence = Presence()
    private var challenge = LiveChallenge()
    private let bob = LeafIndex(rawValue: 1)
    private let carol = LeafIndex(rawValue: 2)

    @Test("a challenge keeps its nonce until the user asks again")
    mutating func nonce() {
        let first = challenge.nonce(from: .system)
        #expect(first.count == 32 && challenge.nonce(from: .system) == first && challenge.isAwaited(first))
        challenge.beginAgain()
        #expect(!challenge.isAwaited(first))
        let second = challenge.nonce(from: .system)
        #expect(second != first && challenge.isAwaited(second) && !challenge.isAwaited(first))
    }

    @Test("an answer counts once, and a challenge is unanswered until the first answer")
    mutating func answers() {
        _ = challenge.nonce(from: .system)
        #expect(!challenge.isAnswered)
        #expect(challenge.didProve(bob) == true && challenge.isAnswered)
        #expect(challenge.didProve(bob) == false)
        #expect(challenge.didProve(carol) == true)
        challenge.beginAgain()
        #expect(!challenge.isAnswered)
        _ = challenge.nonce(from: .system)
        #expect(challenge.didProve(bob) == true && challenge.isAnswered)
    }

    /// Returns whether the member is challenged in return, and notes that it was.
    private mutating func asksBack(_ leaf: LeafIndex, memberCount: Int, at now: UInt64) -> Bool {
        let asks = presence.asksBack(leaf, challenge, memberCount: memberCount, at: now)
        if asks { challenge.askBack(leaf, at: now) }
        return asks
    }

    @Test("a challenger is challenged back at intervals, in a small group that the user watches")
    mutating func asksBack() {
        let (small, wait) = (ClientLimits.membersWithReceipts, ClientLimits.presenceMs)
        let begin = wait + 1
        #expect(asksBack(bob, memberCount: 2, at: begin) == false)
        presence.watch()
        #expect(asksBack(bob, memberCount: small + 1, at: begin) == false)
        #expect(asksBack(bob, memberCount: small, at: begin) == true)
        #expect(asksBack(bob, memberCount: small, at: begin + wait) == false)
        #expect(asksBack(carol, memberCount: small, at: begin + wait) == true)
        #expect(asksBack(bob, memberCount: small, at: begin + wait + 1) == true)
        // In a new epoch, the member may have missed the last challenge.
        challenge.didCatchUp()
        #expect(asksBack(bob, memberCount: small, at: begin + wait + 1) == true)
    }

    @Test("a member that has just proved to be online is not challenged back, on a new connection either")
    mutating func proven() {
        let now = 2 * ClientLimits.presenceMs
        presence.watch()
        presence.didProve(bob, at: now)
        challenge = LiveChallenge()
        #expect(asksBack(bob, memberCount: 2, at: now + ClientLimits.presenceMs) == false)
        #expect(asksBack(bob, memberCount: 2, at: now + ClientLimits.presenceMs + 1) == true)
    }

    @Test("a member that answered is challenged back with a new nonce, as it would take the old one for a replay")
    mutating func again() {
        presence.watch()
        let nonce = challenge.nonce(from: .system)
        #expect(challenge.didProve(bob) == true)
        #expect(asksBack(carol, memberCount: 3, at: 2 * ClientLimits.presenceMs) == true)
        #expect(challenge.nonce(from: .system) == nonce)
        #expect(asksBack(bob, memberCount: 3, at: 2 * ClientLimits.presenceMs) == true)
        #expect(challenge.nonce(from: .system) != nonce)
    }

    @Test("challenges are answered up to a limit per interval, also when the clock is set back")
    mutating func limit() {
        let begin = 2 * ClientLimits.presenceMs
        for _ in 0..<ClientLimits.liveWhispers { #expect(presence.mayHandle(at: begin) == true) }
        #expect(presence.mayHandle(at: begin + ClientLimits.presenceMs - 1) == false)
        #expect(presence.mayHandle(at: begin + ClientLimits.presenceMs) == true)
        #expect(presence.mayHandle(at: 1) == true)
    }
}
