import KithClient
import KithWire

/// A reply that a test did not expect.
package struct UnexpectedReply: Error {
    package let reply: Reply

    package init(_ reply: Reply) { self.reply = reply }
}

extension RelayConnection {
    package func create(
        _ channel: KnownChannel, kind: ChannelKind = .log, retentionSeconds: UInt32? = nil
    ) async throws {
        let reply = try await request(
            .create(channel: channel.id, kind: kind, access: channel.access, retentionSeconds: retentionSeconds))
        guard case .done = reply else { throw UnexpectedReply(reply) }
    }

    /// Proves tokens of the channel's epoch; all of them if `tokens` is `nil`.
    @discardableResult
    package func present(_ channel: KnownChannel, _ tokens: [Token]? = nil) async throws -> Rights {
        let reply = try await request(
            .present(channel: channel.id, epoch: channel.epoch, tokens: tokens ?? channel.tokens))
        guard case .granted(let rights) = reply else { throw UnexpectedReply(reply) }
        return rights
    }

    /// Creates the channel and proves all tokens.
    package func open(_ channel: KnownChannel, kind: ChannelKind = .log) async throws {
        try await create(channel, kind: kind)
        try await present(channel)
    }

    /// Sends a request that adds an entry to a channel. Returns the entry's seq.
    package func accepted(_ request: Request) async throws -> UInt64 {
        let reply = try await self.request(request)
        guard case .accepted(let seq) = reply else { throw UnexpectedReply(reply) }
        return seq
    }

    /// Appends a message. Returns its seq.
    @discardableResult
    package func append(
        _ payload: [UInt8], to channel: KnownChannel, id: EntryID = .random()
    ) async throws -> UInt64 {
        try await accepted(channel.appending(payload, as: id))
    }

    /// Appends a text. Returns its seq.
    @discardableResult
    package func append(_ text: String, to channel: KnownChannel, id: EntryID = .random()) async throws -> UInt64 {
        try await append(Array(text.utf8), to: channel, id: id)
    }

    /// Appends a turn. Returns its seq.
    @discardableResult
    package func turn(
        _ channel: KnownChannel, to next: KnownChannel, id: EntryID = .random()
    ) async throws -> UInt64 {
        try await accepted(
            .turn(
                channel: channel.id, epoch: channel.epoch, id: id, payload: Array("turn".utf8)[...],
                nextAccess: next.access))
    }

    /// The error of a refused request; `nil` if the request is not refused.
    package func refusal(of request: Request) async throws -> RelayError? {
        do {
            _ = try await self.request(request)
            return nil
        } catch RelayConnectionError.refused(let error) {
            return error
        }
    }

    /// The entries from a seq through the last one.
    package func entries(of channel: KnownChannel, from first: UInt64 = 1) async throws -> [Entry] {
        let follow = try await follow(channel.id, epoch: channel.epoch, fromSeq: first)
        defer { follow.cancel() }
        guard follow.lastSeq >= follow.firstSeq else { return [] }
        return try await follow.entries(through: follow.lastSeq)
    }
}

extension RelayFollow {
    /// The next entries, through a seq or the end of the epoch.
    fileprivate func entries(through last: UInt64) async throws -> [Entry] {
        var entries: [Entry] = []
        for try await event in self {
            if case .entries(let some) = event { entries += some }
            if entries.last.map({ $0.seq >= last }) ?? false { break }
        }
        return entries
    }

    /// The next entries: at least `count`, or fewer if the epoch ends before.
    package func entries(_ count: Int) async throws -> [Entry] {
        var entries: [Entry] = []
        var iterator = makeAsyncIterator()
        while entries.count < count, let event = try await iterator.next() {
            if case .entries(let more) = event { entries += more }
            if case .epochEnded = event { break }
        }
        return entries
    }
}

extension Entry {
    /// The payload as text.
    package var text: String { String(decoding: payload, as: UTF8.self) }
}
