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
        let stopped = ConversationStatus.stopped(seq: 4, reason: .trimmed)
        for (status, consent, isAllowed) in [
            (.active, .given, false), (.active, .pending, true), (.preparing, .given, false), (.left, .given, false),
            (removed, .given, true), (stopped, .given, true),
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
}
