import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

@Suite("Addresses that use many inboxes")
struct ManyInboxesTests {
    private static let eight = (1...8).map { ClientSource(address: "source \($0)") }
    /// Sources that count twice in the table of shares: as an address and as a site.
    private static let fifteen = (1...15).map { ClientSource(address: "source \($0)", site: "site \($0)") }
    private static let day: Int64 = 86_400_000_000_000

    /// One inbox, and the shares in it and in all others.
    private struct Shared {
        var shares = InboxShares(RelayLimits())
        let inbox = ChannelID.random()
        var head = ManyInboxesTests.newInbox
        var now: Int64 = 0

        /// Fills the address's share of the inbox. Returns the number of accepted letters.
        mutating func fill(_ source: ClientSource) -> Int {
            var count = 0
            while take(inbox, head, source) == .taken {
                head.lastSeq += 1
                count += 1
            }
            return count
        }

        mutating func writeToAnother(_ source: ClientSource) -> InboxShares.Outcome {
            take(.random(), ManyInboxesTests.newInbox, source)
        }

        private mutating func take(_ inbox: ChannelID, _ head: ChannelHead, _ source: ClientSource)
            -> InboxShares.Outcome
        {
            shares.take(.init(inbox: inbox, head: head, bytes: 1, source: source, atNanoseconds: now))
        }
    }

    private static let newInbox = ChannelHead(
        created: KnownChannel().access, kind: .inbox, retentionSeconds: 2_592_000, atMs: 0)

    @Test("eight addresses that write to 25,000 inboxes each have none of their letters forgotten")
    func eightAddresses() {
        var shared = Shared()
        for source in Self.eight { #expect(shared.fill(source) == 256) }
        for _ in 0..<25_000 {
            for source in Self.eight { _ = shared.writeToAnother(source) }
        }
        for source in Self.eight { #expect(shared.fill(source) == 0) }
        #expect(shared.head.lastSeq == 8 * 256)
        #expect(shared.fill("tenth") == 256)
    }

    @Test("fifteen addresses that write to as many inboxes as allowed for 30 days have no letter forgotten")
    func thirtyDays() {
        var shared = Shared()
        for source in Self.fifteen { #expect(shared.fill(source) == 256) }
        for today in 0..<30 {
            shared.now = Int64(today) * Self.day
            for source in Self.fifteen {
                var count = 0
                while count < 1_000, shared.writeToAnother(source) == .taken { count += 1 }
                #expect(count == (today == 0 ? 999 : 100))
            }
        }
        for source in Self.fifteen { #expect(shared.fill(source) == 0) }
    }

    @Test("eight addresses that take from 25,000 inboxes each have none of their withdrawals forgotten")
    func withdrawals() {
        var withdrawals = SourceWithdrawals(RelayLimits())
        let inbox = ChannelID.random()
        func take(from inbox: ChannelID, _ source: ClientSource) -> Bool {
            guard withdrawals.wait(of: source, at: inbox, atNanoseconds: 0) == 0 else { return false }
            withdrawals.charge(source, at: inbox, atNanoseconds: 0)
            return true
        }
        for source in Self.eight {
            for _ in 0..<40 { #expect(take(from: inbox, source)) }
        }
        for _ in 0..<25_000 {
            for source in Self.eight { _ = take(from: .random(), source) }
        }
        for source in Self.eight { #expect(!take(from: inbox, source)) }
        #expect(take(from: inbox, "tenth"))
    }

    @Test("addresses that write to many inboxes leave room in one for a letter from another address")
    func crowded() async throws {
        let hub = BareHub {
            $0.inboxEntries = 32
            $0.inboxShares = 40
            $0.addressInboxes = 2
        }
        for connection: ConnectionNumber in 1...10 {
            hub.open(connection, from: ClientSource(address: "source \(connection)"))
        }
        let inbox = try #require(try await hub.makeChannels(1, .inbox, on: 1).first)
        let others = try await hub.makeChannels(10, .inbox, on: 1)
        for connection: ConnectionNumber in 2...10 {
            for channel in [inbox] + others {
                let present = Request.present(channel: channel.id, epoch: 0, tokens: [channel.append])
                #expect(await hub.refusal(of: present, on: connection) == nil)
            }
        }
        func fill(_ connection: ConnectionNumber) async -> Int {
            var count = 0
            while await hub.refusal(of: .append(inbox, [1]), on: connection) == nil { count += 1 }
            return count
        }
        for connection: ConnectionNumber in 2...9 { #expect(await fill(connection) == 2) }
        for other in others {
            for connection: ConnectionNumber in 2...9 {
                let refusal = await hub.refusal(of: .append(other, [1]), on: connection)
                #expect(refusal == (other.id == others[0].id ? nil : .tooFast))
            }
        }
        for connection: ConnectionNumber in 2...9 { #expect(await fill(connection) == 0) }
        #expect(await hub.ask(.append(inbox, [1]), on: 10) == .accepted(seq: 17))
        try await hub.close()
    }

    @Test(
        "an address at its limit of inboxes is told when to try another, and can still write to those that it has used"
    )
    func wait() async throws {
        let clock = TestClock()
        let hub = BareHub(clock: clock) { $0.addressInboxes = 2 }
        hub.open(1)
        let inboxes = try await hub.makeChannels(4, .inbox, on: 1)
        for inbox in inboxes {
            let deposit = Request.deposit(channel: inbox.id, keyPackages: [], lastResort: KeyPackageBytes([1]))
            #expect(await hub.ask(deposit, on: 1) == .done)
        }
        let requests: [@Sendable (KnownChannel) -> Request] = [{ .append($0, [1]) }, { .withdraw(channel: $0.id) }]
        for request in requests {
            for inbox in inboxes.prefix(2) { #expect(await hub.refusal(of: request(inbox), on: 1) == nil) }
            guard case .error(let error) = await hub.ask(request(inboxes[2]), on: 1) else {
                Issue.record("a third inbox was used")
                continue
            }
            #expect(error.code == .tooFast && error.retryAfterMs == 864_001)
            #expect(await hub.refusal(of: request(inboxes[0]), on: 1) == nil)
        }
        clock.advance(seconds: 864)
        for request in requests {
            #expect(await hub.refusal(of: request(inboxes[2]), on: 1) == nil)
            #expect(await hub.refusal(of: request(inboxes[3]), on: 1) == .tooFast)
        }
        try await hub.close()
    }

    @Test("an address may take key packages from 500 inboxes at once, and write to them")
    func office() async throws {
        let hub = BareHub()
        hub.open(1)
        for inbox in try await hub.makeChannels(500, .inbox, on: 1) {
            #expect(await hub.refusal(of: .withdraw(channel: inbox.id), on: 1) == .notFound)
            #expect(await hub.ask(.append(inbox, [1]), on: 1) == .accepted(seq: 1))
        }
        try await hub.close()
    }
}
