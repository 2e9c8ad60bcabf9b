import Foundation
import KithRelay
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// Alice, whose profile is in a folder for `kith chat`, and Bob, whose profile the test's process has open.
struct ChatFixture {
    let relay: any ReachableRelay
    let bob: Profile
    /// The conversation in Bob's profile.
    let conversation: ConversationID

    /// Alice's `KITH_HOME`.
    var home: URL { relay.folder.appendingPathComponent("alice") }

    /// Runs `body` after Bob has used Alice's invite.
    static func run(
        limits: (inout RelayLimits) -> Void = { _ in }, _ body: (ChatFixture) async throws -> Void
    ) async throws {
        try await withBlobRelay(limits: limits) { relay in
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

    /// Runs `body` with Alice's `kith chat NAME` at a terminal.
    func atTerminal(
        _ arguments: [String] = ["bob"], size: Tmux.Size = Tmux.Size(), _ body: (Tmux) async throws -> Void
    ) async throws {
        try await Tmux.run(
            [BuiltProgram.kith.path, "chat"] + arguments, environment: ["KITH_HOME": home.path], size: size,
            hidesNumbers: true, body)
    }

    /// Runs `body` with Alice's chat at a terminal, after Bob was found to be online.
    static func talking(columns: Int = 80, _ body: (Tmux, ChatFixture) async throws -> Void) async throws {
        try await run { fixture in
            try await fixture.atTerminal(size: Tmux.Size(columns: columns)) { terminal in
                try await terminal.wait { $0.joined().contains("[bob is online") && $0.last == "alice :" }
                try await body(terminal, fixture)
            }
        }
    }

    func say(_ text: String) async throws { _ = try await bob.send(text, to: conversation) }

    /// Bob reads all messages of the conversation.
    func bobReadsAll() async throws {
        guard let last = try await bob.history(of: conversation).last?.seq else { return }
        try await bob.markRead(conversation, through: last)
    }

    /// Waits until Bob has received a text from Alice.
    func bobGets(_ text: String) async throws {
        try await eventually({
            try await bob.history(of: conversation).filter { $0.author != .me }.map(\.body)
        }) { $0.contains(.text(text)) }
    }

    /// Waits until Bob has received a file of a size from Alice.
    func bobGetsFile(ofBytes size: Int) async throws {
        try await eventually({ try await bob.files.list(in: conversation).map(\.file.size) }) {
            $0.contains(UInt64(size))
        }
    }
}
