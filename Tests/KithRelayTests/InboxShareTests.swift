import KithWire
import RelayTestSupport
import Testing

@testable import KithRelay

@Suite("Inboxes and many addresses")
struct InboxShareTests {
    private static let hostile = 2...9 as ClosedRange<ConnectionNumber>

    /// A hub with an owner on connection 1, eight hostile addresses, and a friend on connection 10.
    private func hub(_ store: (any ChannelStore)? = nil, _ limits: (inout RelayLimits) -> Void) async throws -> (
        BareHub, KnownChannel
    ) {
        let hub = BareHub(store: store, limits: limits)
        for connection: ConnectionNumber in 1...10 {
            hub.open(connection, from: ClientSource(address: "source \(connection)"))
        }
        let inbox = try #require(try await hub.makeChannels(1, .inbox, on: 1).first)
        for connection: ConnectionNumber in 2...10 {
            let present = Request.present(channel: inbox.id, epoch: 0, tokens: [inbox.append])
            #expect(await hub.refusal(of: present, on: connection) == nil)
        }
        return (hub, inbox)
    }

    @Test("eight hostile addresses leave room for a letter from a ninth, and the first waiting letter stays")
    func crowded() async throws {
        let (hub, inbox) = try await hub {
            $0.inboxEntries = 64
            $0.inboxBytes = 1 << 20
        }
        #expect(await hub.ask(.append(inbox, [1]), on: 10) == .accepted(seq: 1))
        var accepted = 0
        for _ in 0..<50 {
            for connection in Self.hostile {
                switch await hub.refusal(of: .append(inbox, [2]), on: connection) {
                case nil: accepted += 1
                case .tooFast?: break
                case let code?: Issue.record("\(code)")
                }
            }
        }
        #expect(accepted == 8 * 4)
        #expect(await hub.ask(.append(inbox, [3]), on: 10) == .accepted(seq: 34))
        let entries = try await hub.hub.store.entries(of: inbox.id, from: 1, through: .max, maximumBytes: 1 << 20)
        #expect(entries.first?.seq == 1 && entries.first?.payload == [1] && entries.count == 34)
        // Reading letters frees the room of their senders.
        #expect(await hub.ask(.trim(channel: inbox.id, throughSeq: 4), on: 1) == .done)
        for connection: ConnectionNumber in 2...4 {
            #expect(await hub.refusal(of: .append(inbox, [2]), on: connection) == nil)
        }
        #expect(await hub.refusal(of: .append(inbox, [2]), on: 5) == .tooFast)
        #expect(await hub.ask(.trim(channel: inbox.id, throughSeq: 37), on: 1) == .done)
        for connection in Self.hostile {
            #expect(await hub.refusal(of: .append(inbox, [2]), on: connection) == nil)
        }
        try await hub.close()
    }

    @Test(
        "an IPv6 site may occupy and take twice as much as one address, and its neighbour has a share of its own")
    func sites() async throws {
        let hub = BareHub {
            $0.inboxEntries = 32
            $0.withdrawAddressBurst = 3
        }
        hub.open(1)
        let inbox = try #require(try await hub.makeChannels(1, .inbox, on: 1).first)
        let packages = (0..<20).map { KeyPackageBytes([UInt8($0)]) }
        #expect(await hub.ask(.deposit(channel: inbox.id, keyPackages: packages, lastResort: nil), on: 1) == .done)
        for connection: ConnectionNumber in 2...9 {
            hub.open(
                connection,
                from: ClientSource(address: "address \(connection)", site: connection == 9 ? "other" : "site"))
            let present = Request.present(channel: inbox.id, epoch: 0, tokens: [inbox.append])
            #expect(await hub.refusal(of: present, on: connection) == nil)
        }
        func accepted(_ request: @autoclosure () -> Request, on connection: ConnectionNumber) async -> Int {
            var count = 0
            for _ in 0..<5 where await hub.refusal(of: request(), on: connection) == nil { count += 1 }
            return count
        }
        for (connection, letters, taken) in [(2, 2, 3), (3, 2, 3), (4, 0, 0), (9, 2, 3)] {
            let connection = ConnectionNumber(connection)
            #expect(await accepted(.append(inbox, [1]), on: connection) == letters)
            #expect(await accepted(.withdraw(channel: inbox.id), on: connection) == taken)
        }
        try await hub.close()
    }

    @Test("an address can't fill an inbox with a few large letters, and a letter of any size fits")
    func large() async throws {
        let (hub, inbox) = try await hub {
            $0.payload = 1_000
            $0.inboxBytes = 32_000
        }
        let letter = [UInt8](repeating: 7, count: 1_000)
        for connection in Self.hostile {
            for _ in 0..<2 { #expect(await hub.refusal(of: .append(inbox, letter), on: connection) == nil) }
            #expect(await hub.refusal(of: .append(inbox, letter), on: connection) == .tooFast)
        }
        #expect(await hub.refusal(of: .append(inbox, letter), on: 10) == nil)
        try await hub.close()
    }

    @Test("a letter that was not stored takes no room in its address's share")
    func refused() async throws {
        let store = FailingStore(MemoryStore())
        let (hub, inbox) = try await hub(store) { $0.inboxEntries = 32 }
        store.fail(with: .full)
        for _ in 0..<5 { #expect(await hub.refusal(of: .append(inbox, [1]), on: 10) == .full) }
        store.recover()
        for _ in 0..<2 { #expect(await hub.refusal(of: .append(inbox, [1]), on: 10) == nil) }
        #expect(await hub.refusal(of: .append(inbox, [1]), on: 10) == .tooFast)
        try await hub.close()
    }

    @Test("hostile addresses that take key packages leave some for others")
    func withdrawals() async throws {
        let (hub, inbox) = try await hub {
            $0.withdrawBurst = 50
            $0.withdrawAddressBurst = 5
        }
        let packages = (0..<100).map { KeyPackageBytes([UInt8($0)]) }
        #expect(
            await hub.ask(.deposit(channel: inbox.id, keyPackages: packages, lastResort: nil), on: 1) == .done)
        for connection in Self.hostile {
            for _ in 0..<5 { #expect(await hub.refusal(of: .withdraw(channel: inbox.id), on: connection) == nil) }
            #expect(await hub.refusal(of: .withdraw(channel: inbox.id), on: connection) == .tooFast)
        }
        #expect(
            await hub.ask(.withdraw(channel: inbox.id), on: 10) == .keyPackage(packages[40], isLastResort: false))
        try await hub.close()
    }
}
