import KithClient
import KithWire

/// A channel whose tokens are known, at one of its epochs.
struct KnownChannel: Sendable {
    var id = ChannelID.random()
    var epoch: UInt64 = 0
    var read = Token.random()
    var append = Token.random()
    var turn = Token.random()

    var tokens: [Token] { [read, append, turn] }
    var access: Access { Access(read: Grant(for: read), append: Grant(for: append), turn: Grant(for: turn)) }

    /// The same channel in its next epoch, with other tokens.
    var next: KnownChannel { KnownChannel(id: id, epoch: epoch + 1) }

    func appending(_ payload: [UInt8], as id: EntryID = .random()) -> Request {
        .append(channel: self.id, epoch: epoch, id: id, payload: payload[...])
    }
}

/// An answer that a test did not expect.
struct Unexpected: Error {
    let reply: Reply
}

extension RelayConnection {
    /// Creates the channel and proves all tokens.
    func open(_ channel: KnownChannel) async throws {
        _ = try await request(.create(channel: channel.id, access: channel.access, retentionSeconds: nil))
        try await prove(channel)
    }

    /// Proves all tokens of the channel's epoch.
    func prove(_ channel: KnownChannel) async throws {
        _ = try await request(.present(channel: channel.id, epoch: channel.epoch, tokens: channel.tokens))
    }

    /// Appends, and gives the seq.
    @discardableResult
    func append(_ payload: [UInt8], to channel: KnownChannel, as id: EntryID = .random()) async throws -> UInt64 {
        try await accepted(channel.appending(payload, as: id))
    }

    /// The seq that an append or a turn was accepted with.
    func accepted(_ request: Request) async throws -> UInt64 {
        let reply = try await self.request(request)
        guard case .accepted(let seq) = reply else { throw Unexpected(reply: reply) }
        return seq
    }

    /// The entries from a seq through the last one there is.
    func entries(of channel: KnownChannel, from first: UInt64 = 1) async throws -> [Entry] {
        let follow = try await follow(channel.id, epoch: channel.epoch, fromSeq: first)
        defer { follow.cancel() }
        var entries: [Entry] = []
        guard follow.lastSeq >= follow.firstSeq else { return [] }
        for try await event in follow {
            if case .entries(let some) = event { entries += some }
            if entries.last.map({ $0.seq >= follow.lastSeq }) ?? false { break }
        }
        return entries
    }
}
