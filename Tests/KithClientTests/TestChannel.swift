import KithWire

/// A channel whose one token gives every right.
struct TestChannel {
    let id = ChannelID.random()
    let token = Token.random()

    var create: Request {
        let grant = Grant(for: token)
        return .create(channel: id, access: Access(read: grant, append: grant, turn: grant), retentionSeconds: nil)
    }
    var present: Request { .present(channel: id, epoch: 0, tokens: [token]) }

    func append(_ payload: [UInt8]) -> Request { .append(channel: id, epoch: 0, id: .random(), payload: payload[...]) }
}
