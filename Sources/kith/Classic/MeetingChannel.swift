import ClassicSession
import KithWire

/// The channel on which two users of the classic session meet. The type also creates the requests to the relay about the channel.
struct MeetingChannel: Sendable {
    /// The number of the channel's only epoch.
    static let epoch: UInt64 = 0

    let id: ChannelID
    private let read: Token
    private let append: Token
    private let turn: Token

    /// Derives the channel from two ids. The order of the ids does not matter.
    ///
    /// - Throws: `ClassicIDError` if the two ids are equal.
    init(_ me: ClassicID, _ peer: ClassicID) throws {
        let derivation = try ChannelDerivation(me, peer)
        guard let id = ChannelID(derivation.channelID), let read = Token(derivation.readToken),
            let append = Token(derivation.appendToken), let turn = Token(derivation.turnToken)
        else { throw Failure(message: "the channel of these two ids could not be derived") }
        self.id = id
        self.read = read
        self.append = append
        self.turn = turn
    }

    func create(retentionSeconds: UInt32) -> Request {
        .create(
            channel: id, access: Access(read: Grant(for: read), append: Grant(for: append), turn: Grant(for: turn)),
            retentionSeconds: retentionSeconds)
    }

    /// Presents the tokens for reading and appending. The token for closing the channel is not used.
    var present: Request { .present(channel: id, epoch: Self.epoch, tokens: [read, append]) }

    func append(_ payload: [UInt8], id entry: EntryID) -> Request {
        .append(channel: id, epoch: Self.epoch, id: entry, payload: payload[...])
    }
}
