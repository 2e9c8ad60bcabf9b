import KithWire
import MLS
import Testing

@testable import KithCore

@Suite("Join policy")
struct JoinPolicyTests {
    private func record(
        _ status: ConversationStatus, consent: ConversationRecord.Consent = .given
    ) -> ConversationRecord {
        var record = ConversationRecord(
            channel: .random(), relay: RelayID(rawValue: 1), title: "group", contact: nil, isDirect: false,
            isCreated: true, epoch: 3, memberCount: 2, consent: consent)
        if status == .active { record.activate() } else if status != .preparing { record.end(status) }
        return record
    }

    @Test("a Welcome brings back only a removed, stopped or pending conversation")
    func states() throws {
        let relay = try RelayPoint.sample()
        let removed = ConversationStatus.removed(by: "bob")
        let replaced = ConversationStatus.replaced(by: "bob", device: "laptop", seq: 4)
        let stopped = ConversationStatus.stopped(seq: 4, reason: .trimmed)
        for (status, consent, isAllowed) in [
            (.active, .given, false), (.active, .pending, true), (.preparing, .given, false), (.left, .given, false),
            (removed, .given, true), (replaced, .given, true), (stopped, .given, true),
        ] as [(ConversationStatus, ConversationRecord.Consent, Bool)] {
            let mayRejoin = JoinPolicy.mayRejoin(record(status, consent: consent), at: relay, epoch: 4, through: relay)
            #expect(mayRejoin == isAllowed, "\(status), \(consent)")
        }
    }

    @Test("a Welcome brings a conversation back only in a later epoch and at its own relay")
    func places() throws {
        let relay = try RelayPoint.sample()
        let record = record(.removed(by: "bob"))
        #expect(JoinPolicy.mayRejoin(record, at: relay, epoch: 4, through: relay))
        #expect(!JoinPolicy.mayRejoin(record, at: relay, epoch: 3, through: relay))
        #expect(!JoinPolicy.mayRejoin(record, at: nil, epoch: 4, through: relay))
        #expect(!JoinPolicy.mayRejoin(record, at: relay, epoch: 4, through: try .sample(port: 4434)))
        #expect(!JoinPolicy.mayRejoin(record, at: relay, epoch: 4, through: try .sample(pin: 9)))
        #expect(JoinPolicy.mayRejoin(record, at: relay, epoch: 4, through: try .sample(pass: "kith-pass-1")))
    }

    private func account() throws -> AccountKey { try AccountPrivateKey(random: .system).publicKey }

    @Test("a conversation of two is brought back by the other person alone, and with nobody else in it")
    func backOfTwo() throws {
        let (own, bob, carol) = (try account(), try account(), try account())
        let two = JoinPolicy.Membership.conversationOfTwo(other: bob, own: own)
        for (inviter, members, isAllowed) in [
            (bob, [own, bob], true), (bob, [own, bob, carol], false), (bob, [bob], false), (carol, [own, bob], false),
            (carol, [own, carol], false), (own, [own, bob], false), (nil, [own, bob], false),
        ] as [(AccountKey?, Set<AccountKey>, Bool)] {
            #expect(JoinPolicy.mayBringBack(inviter: inviter, to: two, members: members) == isAllowed)
        }
        let unknown = JoinPolicy.Membership.conversationOfTwo(other: nil, own: own)
        #expect(!JoinPolicy.mayBringBack(inviter: bob, to: unknown, members: [own, bob]))
        #expect(!JoinPolicy.mayBringBack(inviter: nil, to: unknown, members: [own]))
    }

    @Test("a group is brought back by a member, and on a restored device by a contact")
    func backOfGroup() throws {
        let (own, bob, carol) = (try account(), try account(), try account())
        let group = JoinPolicy.Membership.group(members: [own, bob])
        #expect(JoinPolicy.mayBringBack(inviter: bob, to: group, members: [own, bob, carol]))
        #expect(!JoinPolicy.mayBringBack(inviter: carol, to: group, members: [own, bob, carol]))
        #expect(!JoinPolicy.mayBringBack(inviter: nil, to: group, members: [own, bob]))
        for isKnown in [true, false] {
            let unknown = JoinPolicy.Membership.unknownGroup(isInviterKnown: isKnown)
            #expect(JoinPolicy.mayBringBack(inviter: carol, to: unknown, members: [own, carol]) == isKnown)
            #expect(!JoinPolicy.mayBringBack(inviter: nil, to: unknown, members: [own, carol]))
        }
    }
}
