import Foundation
import KithRelay
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// Alice, whose profile lies in a folder for `kith chat` to open, and Bob, who is in the test's own process.
struct ChatFixture {
    let relay: any ReachableRelay
    let bob: Profile
    /// The conversation on Bob's side.
    let conversation: ConversationID

    /// `KITH_HOME` of Alice.
    var home: URL { relay.folder.appendingPathComponent("alice") }

    /// The two have met, by Alice's invite, for as long as `body` runs.
    static func run(
        limits: (inout RelayLimits) -> Void = { _ in }, _ body: (ChatFixture) async throws -> Void
    ) async throws {
        try await withRelay(limits: limits) { relay in
            let alice = try await profile("alice", in: relay)
            let bob = try await profile("bob", in: relay)
            do {
                let events = await alice.events()
                let invite = try await alice.createInvite(at: relay.point)
                let conversation = try await bob.join(invite.invite)
                for await event in events { if case .inviteUsed = event { break } }
                await alice.close()
                try await body(ChatFixture(relay: relay, bob: bob, conversation: conversation))
                await bob.close()
            } catch {
                await alice.close()
                await bob.close()
                throw error
            }
        }
    }

    static func profile(_ name: String, in relay: any ReachableRelay) async throws -> Profile {
        try await Profile.create(
            in: relay.folder.appendingPathComponent(name).appendingPathComponent("default"), name: name,
            deviceName: "laptop", secret: .keyFile)
    }

    /// `kith chat NAME` of Alice at a terminal, for as long as `body` runs.
    func atTerminal(
        _ arguments: [String] = ["bob"], columns: Int = 80, rows: Int = 24, _ body: (Tmux) async throws -> Void
    ) async throws {
        try await Tmux.run(
            [BuiltProgram.kith.path, "chat"] + arguments, environment: ["KITH_HOME": home.path], columns: columns,
            rows: rows, hidesNumbers: true, body)
    }

    func say(_ text: String) async throws { _ = try await bob.send(text, to: conversation) }

    /// Waits until Bob has this text of Alice's.
    func bobGets(_ text: String) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let messages = try await bob.history(of: conversation)
            if messages.contains(where: { $0.author != .me && $0.body == .text(text) }) { return }
            guard ContinuousClock.now < end else { throw Missing(text: text, there: messages.map { "\($0.body)" }) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    struct Missing: Error {
        let text: String
        let there: [String]
    }
}
