import KithWire

/// A channel at one of its epochs, with the tokens of that epoch.
package struct KnownChannel: Sendable {
    package var id: ChannelID
    package var epoch: UInt64
    package var read = Token.random()
    package var append = Token.random()
    package var turn = Token.random()

    package init(id: ChannelID = .random(), epoch: UInt64 = 0) {
        self.id = id
        self.epoch = epoch
    }

    package var tokens: [Token] { [read, append, turn] }
    package var access: Access { Access(read: Grant(for: read), append: Grant(for: append), turn: Grant(for: turn)) }

    /// The same channel in its next epoch, with other tokens.
    package func next() -> KnownChannel { KnownChannel(id: id, epoch: epoch + 1) }

    /// A request that creates the channel, as a log.
    package var creating: Request { .create(channel: id, access: access, retentionSeconds: nil) }

    /// A request that proves all tokens.
    package var presenting: Request { .present(channel: id, epoch: epoch, tokens: tokens) }

    /// A request that appends a message.
    package func appending(_ payload: [UInt8], as id: EntryID = .random()) -> Request {
        .append(channel: self.id, epoch: epoch, id: id, payload: payload[...])
    }
}
