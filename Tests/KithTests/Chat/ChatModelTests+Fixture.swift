import Foundation
import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// Contacts, conversations and messages for tests of the chat model.
extension ChatModelTests {
    func contact(_ id: ContactID, _ name: String, _ trust: Trust = .invite) throws -> Contact {
        let key = try #require(AccountKey(Array(repeating: UInt8(id.rawValue), count: 32)))
        return Contact(id: id, name: name, accountKey: key, trust: trust)
    }

    /// - Parameter members: the number of a group's members; `nil` for the conversation with Bob.
    func summary(
        members: Int? = nil, status: ConversationStatus = .active, unread: Int = 0, readThrough: UInt64 = 100,
        isSuspect: Bool = false
    ) -> ConversationSummary {
        ConversationSummary(
            id: team, name: members == nil ? "bob" : "team", contact: members == nil ? bob : nil,
            isDirect: members == nil, status: status, memberCount: members ?? 2, unread: unread,
            readThrough: readThrough, lastSeq: 10, lastActivityMs: now, relay: relay, relayPin: relayPin,
            isSuspect: isSuspect)
    }

    func id(_ number: UInt8) throws -> EntryID { try #require(EntryID(Array(repeating: number, count: 16))) }

    /// A message of the user. If it was read, then by the contacts with the lowest numbers.
    func message(_ number: UInt8, _ text: String, seq: UInt64? = nil, delivery: Delivery? = nil) throws -> Message {
        var readers: [ContactID] = []
        if case .read(let count) = delivery { readers = (1...UInt64(count)).map { ContactID(rawValue: $0) } }
        return Message(
            id: try id(number), conversation: team, seq: seq, author: .me, body: .text(text), sentAtMs: now,
            replyTo: nil, delivery: delivery, warnings: [], readers: readers)
    }

    /// A message of a contact.
    func message(
        _ number: UInt8, _ text: String, from author: Message.Author, seq: UInt64? = nil, _ more: Received = Received()
    ) throws -> Message {
        Message(
            id: try id(number), conversation: more.conversation, seq: seq, author: author, body: .text(text),
            sentAtMs: now, replyTo: try more.replyTo.map(id), delivery: nil, warnings: more.warnings)
    }

    /// The rarer fields of a contact's message.
    struct Received {
        var conversation = ConversationID(rawValue: 1)
        var replyTo: UInt8?
        var warnings: [Warning] = []
    }

    func fromBob(_ trust: Trust = .invite) -> Message.Author { .contact(bob, name: "bob", trust) }

    func model(
        _ summary: ConversationSummary? = nil, history: [Message] = [], trust: Trust = .invite,
        isForPerson: Bool = true,
        takesCommands: Bool? = nil
    ) throws -> ChatModel {
        let member = { (id: ContactID?, name: String) in
            Member(isMe: id == nil, contact: id, name: name, trust: trust, deviceName: "laptop")
        }
        return ChatModel(
            ChatModel.Opening(
                me: "alice", conversation: summary ?? self.summary(),
                members: [member(nil, "alice"), member(bob, "bob")],
                contacts: [try contact(bob, "bob", trust), try contact(carol, "carol")], names: [team: "bob"],
                history: history),
            isForPerson: isForPerson, takesCommands: takesCommands ?? isForPerson,
            day: try utc())
    }

    private func utc() throws -> ChatDay {
        let zone = try #require(TimeZone(identifier: "UTC"))
        return ChatDay { LocalTime(ms: $0, in: zone) }
    }

    func shown(_ outputs: [ChatModel.Output]) -> [String] {
        outputs.flatMap { if case .show(let lines) = $0 { lines.map(\.text) } else { [] as [String] } }
    }

    /// The new mark of the user's message at a seq; `nil` if no marks change.
    func mark(of seq: UInt64, _ outputs: [ChatModel.Output]) -> String? {
        outputs.compactMap { if case .readMarks(let marks, _) = $0 { marks.mark(of: seq).text } else { nil } }.last
    }

    /// The line about a reader, for a terminal on which the mark can't change.
    func readNotice(_ outputs: [ChatModel.Output]) -> String? {
        outputs.compactMap { if case .readMarks(_, let notice?) = $0 { notice.line.text } else { nil } }.last
    }

    func requests(_ outputs: [ChatModel.Output]) -> [ChatRequest] {
        outputs.compactMap { if case .request(let request) = $0 { request } else { nil } }
    }

    func status(_ outputs: [ChatModel.Output]) -> String?? {
        outputs.compactMap { if case .status(let status) = $0 { .some(status?.description) } else { nil } }.last
    }
}
