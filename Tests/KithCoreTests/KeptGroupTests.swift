import KithSimulation
import KithWire
import MLS
import Testing

@testable import KithCore

@Suite("Group in memory")
struct KeptGroupTests {
    private var device: DeviceState
    private var kept: KeptGroup
    private let group: Group

    init() throws {
        device = try .sample()
        kept = KeptGroup(of: ConversationID(rawValue: 3))
        (_, group) = try NewConversation(at: try device.connectSample(), title: "group", []).make(in: device)
        _ = device.step.finish()
    }

    /// Stores what the step has come to.
    private mutating func commit() throws {
        kept.store(in: &device.step)
        try #require(device.store as? MemoryProfileStore).commit(device.step.finish().transaction)
    }

    @Test("is known once it is in memory or in the store")
    mutating func known() throws {
        #expect(try !kept.isKnown(in: device.store) && !kept.isLoaded && kept.hasProposals == nil)
        try kept.begin(group)
        #expect(try kept.isKnown(in: device.store) && kept.isLoaded && kept.hasProposals == false)
        try commit()
        kept.unload(in: 0)
        #expect(try kept.isKnown(in: device.store) && !kept.isLoaded)
    }

    @Test("is read from the store again, while its tokens stay in memory for their epoch")
    mutating func unloaded() throws {
        try kept.begin(group)
        try commit()
        let tokens = try #require(kept.tokens(of: 0)?.all)
        kept.unload(in: 0)
        #expect(kept.tokens(of: 0)?.all == tokens && kept.tokens(of: 1) == nil)
        let read = try kept.load(in: &device)
        #expect(read.group.epochAuthenticator == group.epochAuthenticator && kept.isLoaded)
    }

    @Test("a use is later than every use before")
    mutating func uses() throws {
        try kept.begin(group)
        _ = try kept.load(in: &device)
        let first = kept.lastUse
        _ = try kept.load(in: &device)
        #expect(kept.lastUse > first)
    }

    @Test("a group that the store does not have can't be loaded")
    mutating func missing() throws {
        #expect(throws: KithError.store(.damaged(.epoch))) { _ = try kept.load(in: &device) }
    }
}
