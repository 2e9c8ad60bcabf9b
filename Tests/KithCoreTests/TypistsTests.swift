import MLS
import Testing

@testable import KithCore

@Suite("Members who are typing")
struct TypistsTests {
    private var typists = Typists()
    private let bob = ContactID(rawValue: 1)
    private let carol = ContactID(rawValue: 2)
    private let bobsLeaf = LeafIndex(rawValue: 1)
    private let carolsLeaf = LeafIndex(rawValue: 2)

    private func moment(_ seq: UInt64, _ sentAt: UInt64) -> Typists.Moment { .init(seq: seq, sentAt: sentAt) }

    @Test("the members are told at once, and then at intervals")
    mutating func interval() {
        let wait = ClientLimits.typingIntervalMs
        #expect(typists.mayTell(at: 7) == true)
        #expect(typists.mayTell(at: 6 + wait) == false)
        #expect(typists.mayTell(at: 7 + wait) == true)
        #expect(typists.mayTell(at: 8 + wait) == false)
    }

    @Test("members are listed in the order in which they began, and another report only prolongs the time")
    mutating func order() {
        let shown = ClientLimits.typingShownMs
        #expect(typists.due == nil && typists.members.isEmpty)
        #expect(typists.didHear(moment(5, 1), of: bobsLeaf, bob, at: 100) == true)
        #expect(typists.didHear(moment(5, 1), of: carolsLeaf, carol, at: 200) == true)
        #expect(typists.didHear(moment(5, 2), of: bobsLeaf, bob, at: 300) == false)
        #expect(typists.members == [bob, carol] && typists.due == 200 + shown)
        #expect(typists.expire(at: 199 + shown) == false)
        #expect(typists.expire(at: 200 + shown) == true)
        #expect(typists.members == [bob] && typists.due == 300 + shown)
        #expect(typists.expire(at: 300 + shown) == true)
        #expect(typists.members.isEmpty && typists.due == nil)
    }

    @Test("a message ends the typing of its author only, and reports from before it do not count")
    mutating func message() {
        _ = typists.didHear(moment(5, 1), of: bobsLeaf, bob, at: 100)
        _ = typists.didHear(moment(5, 1), of: carolsLeaf, carol, at: 100)
        #expect(typists.didSay(bob, bobsLeaf, at: 6) == true && typists.members == [carol])
        #expect(typists.didSay(bob, bobsLeaf, at: 7) == false)
        #expect(!typists.isNew(moment(6, 9), of: bobsLeaf) && typists.isNew(moment(7, 1), of: bobsLeaf))
        #expect(typists.isNew(moment(6, 9), of: carolsLeaf))
    }

    @Test("a repeated report is not new, also after the connection was lost")
    mutating func repeated() {
        #expect(typists.isNew(moment(0, 0), of: bobsLeaf))
        _ = typists.didHear(moment(5, 10), of: bobsLeaf, bob, at: 100)
        #expect(typists.end() == true && typists.members.isEmpty)
        #expect(!typists.isNew(moment(5, 10), of: bobsLeaf) && !typists.isNew(moment(5, 9), of: bobsLeaf))
        // If the sender's clock is set back, its reports count again when the log has grown.
        #expect(typists.isNew(moment(5, 11), of: bobsLeaf) && typists.isNew(moment(6, 1), of: bobsLeaf))
        #expect(typists.end() == false)
    }
}
