import ClassicSession
import Foundation
import RelayTestSupport
import Synchronization
import Testing

@testable import kith

@Suite(.timeLimit(.minutes(5))) struct ClassicLoadTests {
    @Test("with a hundred pairs on one relay, everybody gets exactly their own messages")
    func hundredPairs() async throws {
        // RSA keys take long to make, and pairs know nothing of each other, so all share two keys.
        let identities = try (ClassicIdentity.generate(), ClassicIdentity.generate())
        try await withRelay(limits: { $0.connectionsPerAddress = 1000 }) { relay in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for pair in 0..<100 {
                    let one = "one\(pair)"
                    let two = "two\(pair)"
                    group.addTask { try await talk(relay, one, two, identities.0, leavesFirst: true) }
                    group.addTask { try await talk(relay, two, one, identities.1, leavesFirst: false) }
                }
                try await group.waitForAll()
            }
        }
    }

    private func talk(
        _ relay: TestRelay, _ me: String, _ peer: String, _ identity: ClassicIdentity, leavesFirst: Bool
    ) async throws {
        let (heard, hear) = AsyncStream.makeStream(of: Event.self)
        let chat = try relay.chat(me, peer, identity: identity) { event in
            if case .session(let event) = event { hear.yield(event) }
        }
        let life = Task {
            defer { hear.finish() }
            return try await chat.run()
        }
        #expect(await chat.waitUntilOpen() != nil)
        let mine = (1...10).map { "\(me) says \($0)" }
        for text in mine { try await chat.send(text) }
        var texts: [String] = []
        for await event in heard {
            switch event {
            case .message(_, let text):
                texts.append(text)
                // The first to leave waits for all of the peer's texts, and the second one waits for the goodbye.
                if leavesFirst, texts.count == mine.count { _ = try await chat.leave(.saidEverything) }
            case .dropped(let dropped):
                Issue.record("\(me): \(dropped)")
            case .missing(let numbers):
                Issue.record("\(me) misses \(numbers)")
            default:
                continue
            }
        }
        #expect(texts == (1...10).map { "\(peer) says \($0)" })
        #expect(try await life.value == (leavesFirst ? .left : .goodbye))
    }
}
