import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

/// Reports that a member is typing, between alice, a profile, and bob, an MLS group.
@Suite("Typing")
struct TypingTests {
    /// A conversation in which both have said something.
    private func talking(isDirect: Bool = true, and others: [ProfileRecord] = []) throws -> PlayedConversation {
        let played = try PlayedConversation(isDirect: isDirect, and: others)
        try played.bring([played.says()])
        return played
    }

    private func whispers(_ effects: [Effect]) -> [[UInt8]] {
        effects.compactMap { effect in
            if case .request(_, _, .whisper(_, _, let payload)) = effect { Array(payload) } else { nil }
        }
    }

    /// The names in each report of the members who are typing.
    private func reports(_ effects: [Effect]) -> [[String]] {
        effects.compactMap { if case .event(.typing(_, let members)) = $0 { members.map(\.name) } else { nil } }
    }

    private func tell(_ played: PlayedConversation) throws -> [[UInt8]] {
        whispers(try played.perform(.tellTyping(in: played.id)))
    }

    /// Everything in alice's store.
    private func stored(in played: PlayedConversation) throws -> [[UInt8]] {
        try StoreTable.allCases.flatMap { try played.box.store.allRows($0).map { $0.bytes ?? [] } }
    }

    private func bobsID(_ played: PlayedConversation) throws -> ContactID {
        try #require(played.box.alice.contactList.first { $0.name == "bob" }).id
    }

    // MARK: Telling

    @Test("the others can open the report, and it is signed; nothing is stored")
    func told() throws {
        let played = try talking()
        let rows = try stored(in: played)
        let payload = try #require(try tell(played).first)
        let whisper = try #require(try Whisper(opening: payload[...], on: played.channel, in: played.group))
        #expect(whisper.kind == .typing(at: Letterbox.now))
        let account = played.box.alice.identity.accountKey
        #expect(whisper.isGenuine(.typing(at: Letterbox.now), by: account, in: played.group))
        #expect(!whisper.isGenuine(.typing(at: Letterbox.now + 1), by: account, in: played.group))
        #expect(!whisper.isGenuine(.challenge, by: account, in: played.group))
        #expect(try stored(in: played) == rows)
    }

    @Test("the others are told at most once in five seconds")
    func interval() throws {
        let played = try talking()
        #expect(try tell(played).count == 1)
        try played.wait(milliseconds: ClientLimits.typingIntervalMs - 1)
        #expect(try tell(played).isEmpty)
        try played.wait(milliseconds: 1)
        #expect(try tell(played).count == 1 && tell(played).isEmpty)
    }

    @Test(
        "nobody is told before both have accepted, while the log is being read, without a connection, or after the end")
    func quiet() throws {
        let unanswered = try PlayedConversation(isDirect: true)
        unanswered.box.alice.replace(unanswered.conversation) { $0.record.didInvite() }
        #expect(try tell(unanswered).isEmpty)
        try unanswered.bring([unanswered.says()])
        #expect(try tell(unanswered).count == 1)
        #expect(try tell(PlayedConversation(isLive: false)).isEmpty)
        let played = try talking()
        try played.box.handle([.disconnected(RelayID(rawValue: 1))])
        #expect(try tell(played).isEmpty)
        let left = try talking()
        left.box.alice.state.conversations[left.id].map { place in
            try? place.handle(.abandon, in: &left.box.alice.state.device)
        }
        #expect(try tell(left).isEmpty)

        let box = try Letterbox()
        try box.bring([box.letter(from: Letterbox.person("carol"), isDirect: true)])
        let pending = try #require(try box.summaries.first)
        #expect(try pending.isPending && whispers(box.perform(.tellTyping(in: pending.id))).isEmpty)
        #expect(try box.summaries.first?.isPending == true)
    }

    @Test("a blocked member is not told, in a group either", arguments: [false, true])
    func toBlocked(isDirect: Bool) throws {
        let played = try talking(isDirect: isDirect)
        try played.perform(.setBlocked(try bobsID(played), true))
        #expect(try tell(played).isEmpty)
        try played.perform(.setBlocked(try bobsID(played), false))
        #expect(try tell(played).count == 1)
    }

    @Test("in a group, typing is told and shown up to the size in which receipts are sent", arguments: [0, 1])
    func size(tooMany: Int) throws {
        let others = try (0..<ClientLimits.membersWithReceipts - 2 + tooMany).map { try Letterbox.person("p\($0)") }
        let played = try talking(isDirect: false, and: others)
        #expect(try tell(played).count == 1 - tooMany)
        #expect(reports(try played.bring(whisper: played.typing(at: 1))).count == 1 - tooMany)
    }

    // MARK: Hearing

    @Test("a member is shown as typing until eight seconds after the last report")
    func expiry() throws {
        let played = try talking()
        #expect(reports(try played.bring(whisper: played.typing(at: 1))) == [["bob"]])
        try played.wait(milliseconds: 5_000)
        #expect(reports(try played.bring(whisper: played.typing(at: 2))).isEmpty)
        #expect(reports(try played.wait(milliseconds: ClientLimits.typingShownMs - 1)).isEmpty)
        #expect(played.box.alice.wakeDelay == 1)
        #expect(reports(try played.wait(milliseconds: 1)) == [[]])
        #expect(played.box.alice.typingMembers(in: played.id).isEmpty)
    }

    @Test("a member's text ends its typing, and a report that was sent before the text does not bring it back")
    func message() throws {
        let played = try talking()
        try played.bring(whisper: played.typing(at: 1))
        let late = try played.typing(at: 2)
        #expect(reports(try played.bring([played.says(.receipt(readThrough: 1))])).isEmpty)
        #expect(reports(try played.bring([played.says(.text("done"))])) == [[]])
        #expect(reports(try played.bring(whisper: late)).isEmpty)
        #expect(reports(try played.bring(whisper: played.typing(at: 3))) == [["bob"]])
    }

    @Test("a lost connection and a block end the typing, and a new epoch does not")
    func ends() throws {
        let offline = try talking()
        try offline.bring(whisper: offline.typing(at: 1))
        #expect(reports(try offline.box.handle([.disconnected(RelayID(rawValue: 1))])) == [[]])
        let turned = try talking()
        try turned.bring(whisper: turned.typing(at: 1))
        #expect(reports(try turned.bring([turned.entry(try turned.commit(), kind: .turn)])).isEmpty)
        #expect(reports(try turned.wait(milliseconds: ClientLimits.typingShownMs)) == [[]])
        let blocked = try talking()
        try blocked.bring(whisper: blocked.typing(at: 1))
        #expect(reports(try blocked.perform(.setBlocked(try bobsID(blocked), true))) == [[]])
        #expect(reports(try blocked.bring(whisper: blocked.typing(at: 2))).isEmpty)
    }

    @Test("a report counts once, and only if the member that it names has signed it in this epoch")
    func genuine() throws {
        let played = try talking(isDirect: false)
        let report = try played.typing(at: 5)
        #expect(reports(try played.bring(whisper: report)) == [["bob"]])
        #expect(reports(try played.wait(milliseconds: ClientLimits.typingShownMs)) == [[]])
        #expect(reports(try played.bring(whisper: report)).isEmpty)
        #expect(reports(try played.bring(whisper: played.typing(at: 4))).isEmpty)
        let forged = try played.typing(at: 6, signedBy: Letterbox.person("mallory"))
        #expect(reports(try played.bring(whisper: forged)).isEmpty)
        // A forged report does not make the genuine one older.
        #expect(reports(try played.bring(whisper: played.typing(at: 6))) == [["bob"]])
        let old = try played.typing(at: 7)
        try played.bring([played.entry(try played.commit(), kind: .turn)])
        #expect(reports(try played.bring(whisper: old)).isEmpty)
    }

    @Test("a report states how its sender has seen the log, and a difference is reported")
    func view() throws {
        let played = try talking()
        let own = try #require(played.conversation.machine.record.view)
        let other = LogView(seq: own.seq, hash: [UInt8](repeating: 9, count: 32), previous: own.previous)
        try played.bring(whisper: played.typing(at: 1, view: other))
        #expect(played.conversation.machine.record.isSuspect)
        // After that, nothing is sent until the user decides.
        #expect(try tell(played).isEmpty)
    }

    @Test("a flood of reports is handled up to a limit")
    func flood() throws {
        let played = try talking()
        for number in 1...UInt64(ClientLimits.liveWhispers) {
            try played.bring(whisper: played.typing(at: number, signedBy: Letterbox.person("mallory")))
        }
        #expect(reports(try played.bring(whisper: played.typing(at: 1_000))).isEmpty)
        try played.wait(milliseconds: ClientLimits.presenceMs)
        #expect(reports(try played.bring(whisper: played.typing(at: 1_000))) == [["bob"]])
    }
}
