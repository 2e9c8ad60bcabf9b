import MLS
import Testing

@testable import KithCore

@Suite("Presence")
struct PresenceTests {
    private var presence = Presence()
    private let bob = LeafIndex(rawValue: 1)
    private let carol = LeafIndex(rawValue: 2)

    @Test("a challenge keeps its nonce until the user asks again or the connection is lost")
    mutating func nonce() {
        presence.watch()
        let first = presence.challenge(.system)
        #expect(first.count == 32 && presence.challenge(.system) == first && presence.isAwaited(first))
        presence.watch()
        let second = presence.challenge(.system)
        #expect(second != first && !presence.isAwaited(first))
        presence.resetConnection()
        #expect(!presence.isAwaited(second))
    }

    @Test("an answer counts once, and a check is due until the first answer and on each new connection")
    mutating func answers() {
        #expect(!presence.isCheckDue)
        presence.resetConnection()
        #expect(!presence.isCheckDue)
        presence.watch()
        _ = presence.challenge(.system)
        #expect(presence.isCheckDue)
        #expect(presence.didProve(bob, at: 1) == true && !presence.isCheckDue)
        #expect(presence.didProve(bob, at: 2) == false)
        #expect(presence.didProve(carol, at: 2) == true)
        presence.resetConnection()
        #expect(presence.isCheckDue)
        _ = presence.challenge(.system)
        #expect(presence.didProve(bob, at: 3) == true)
    }

    @Test("a challenger is challenged back at intervals, in a small group that the user watches")
    mutating func asksBack() {
        let (small, wait) = (ClientLimits.membersWithReceipts, ClientLimits.presenceMs)
        let begin = wait + 1
        #expect(presence.asksBack(bob, memberCount: 2, at: begin) == false)
        presence.watch()
        #expect(presence.asksBack(bob, memberCount: small + 1, at: begin) == false)
        #expect(presence.asksBack(bob, memberCount: small, at: begin) == true)
        #expect(presence.asksBack(bob, memberCount: small, at: begin + wait) == false)
        #expect(presence.asksBack(carol, memberCount: small, at: begin + wait) == true)
        #expect(presence.asksBack(bob, memberCount: small, at: begin + wait + 1) == true)
        // In a new epoch, the member may have missed the last challenge.
        presence.didCatchUp()
        #expect(presence.asksBack(bob, memberCount: small, at: begin + wait + 1) == true)
    }

    @Test("a member that answered is challenged back with a new nonce, as it would take the old one for a replay")
    mutating func again() {
        presence.watch()
        let nonce = presence.challenge(.system)
        #expect(presence.didProve(bob, at: 0) == true)
        #expect(presence.asksBack(carol, memberCount: 3, at: 2 * ClientLimits.presenceMs) == true)
        #expect(presence.challenge(.system) == nonce)
        #expect(presence.asksBack(bob, memberCount: 3, at: 2 * ClientLimits.presenceMs) == true)
        #expect(presence.challenge(.system) != nonce)
    }

    @Test("challenges are answered up to a limit per interval, also when the clock is set back")
    mutating func limit() {
        let begin = 2 * ClientLimits.presenceMs
        for _ in 0..<ClientLimits.liveAnswers { #expect(presence.mayAnswer(at: begin) == true) }
        #expect(presence.mayAnswer(at: begin + ClientLimits.presenceMs - 1) == false)
        #expect(presence.mayAnswer(at: begin + ClientLimits.presenceMs) == true)
        #expect(presence.mayAnswer(at: 1) == true)
    }
}
