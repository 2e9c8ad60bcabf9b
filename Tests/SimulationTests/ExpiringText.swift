import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import KithSimulation

/// A text of the group's first member that expires after an hour, and that the second member has received.
struct ExpiringText {
    static let words = "for an hour"

    private let group: SimulatedGroup
    private let seq: UInt64

    /// Sends the text, and waits until it has arrived.
    init(in group: SimulatedGroup) throws {
        self.group = group
        group.simulation.clients[0].perform(
            .send(group.conversation(of: 0), text: Self.words, replyTo: nil, expiresAfter: 3_600))
        group.wait(20)
        let reader = try #require(group.simulation.clients[1].machine)
        let messages = try reader.history(of: group.conversation(of: 1), before: nil, limit: 5)
        seq = try #require(messages.last { $0.body == .text(Self.words) }?.seq)
    }

    /// The body of the text as stored by a reader.
    func stored(by client: SimulatedClient) throws -> EntryRecord.Body {
        let key = StoreKey(.entry, owner: group.conversation(of: client.index).rawValue, item: seq)
        return try EntryRecord(stored: try #require(try client.store.value(key))).body
    }

    /// Whether readers show the text: one that has the profile open, and one that opens it now. Both must agree.
    func isShown(by client: SimulatedClient) throws -> Bool {
        let open = try #require(client.machine)
        open.look(at: client.localNow, steady: group.simulation.now)
        let other = try ProfileMachine(opening: client.store, now: client.localNow)
        let conversation = group.conversation(of: client.index)
        func isText(_ message: Message) -> Bool { message.body == .text(Self.words) }
        var shown: Set<Bool> = []
        for machine in [open, other] {
            shown.insert(try machine.history(of: conversation, before: nil, limit: 100).contains(where: isText))
            shown.insert(try machine.messages(in: conversation, after: 0, limit: 100).contains(where: isText))
            shown.insert(try !machine.search(MessageSearch([Self.words]), limit: 10).isEmpty)
            shown.insert(
                try machine.explain(seq, in: conversation).contains { $0.description.hasPrefix("It decrypted") })
            var isExported = false
            try machine.eachRecord { record in
                guard case .entry(let place, let bytes) = record, place.seq == seq, place.conversation == conversation
                else { return }
                isExported = (try? EntryRecord(stored: bytes))?.body == .text(MessageText(Self.words))
            }
            shown.insert(isExported)
        }
        #expect(shown.count == 1)
        return shown.contains(true)
    }
}
