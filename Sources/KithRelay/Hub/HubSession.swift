import KithWire

/// The hub's state of one connection: its rights and its follows.
final class HubSession {
    /// Index of the connection's event loop.
    let loop: Int
    /// The source to which the connection's costs are charged.
    let source: ClientSource
    let budget: SourceBudget
    private let rates: SourceRates?
    var hasSaidHello = false
    /// Channels whose current epoch the connection follows.
    var follows: Set<ChannelID> = []
    private var rights: [ChannelID: [EpochRights]] = [:]

    struct EpochRights {
        let epoch: UInt64
        var rights: Rights
    }

    init(loop: Int, source: ClientSource, budget: SourceBudget, rates: SourceRates?) {
        self.loop = loop
        self.source = source
        self.budget = budget
        self.rates = rates
    }

    /// Charges the source for a delivery to many followers.
    func charge(followers: Int, atNanoseconds now: Int64) {
        guard followers >= RelayLimits.deliveriesOfOne else { return }
        rates?.charge(followers / RelayLimits.deliveriesOfOne, atNanoseconds: now)
    }

    var presentedChannels: Int { rights.count }

    func hasPresented(_ channel: ChannelID) -> Bool { rights[channel] != nil }

    func rights(in channel: ChannelID, epoch: UInt64) -> Rights {
        rights[channel]?.last { $0.epoch == epoch }?.rights ?? []
    }

    /// Whether the connection has proved the right in any epoch of the channel.
    func has(_ right: Rights, in channel: ChannelID) -> Bool {
        rights[channel]?.contains { $0.rights.contains(right) } ?? false
    }

    /// Whether the request may wait in the queue of its channel. The connection must have proved the needed right in the
    /// request's epoch. If the request names no epoch, the right in any epoch is enough. The right in the current epoch is
    /// checked later. If the request requires no access right, any right in the channel is enough. A request that names no
    /// channel may always wait.
    func mayWait(_ request: Request) -> Bool {
        switch request {
        case .append(let channel, let epoch, _, _), .whisper(let channel, let epoch, _),
            .createBlob(let channel, let epoch, _):
            rights(in: channel, epoch: epoch).contains(.append)
        case .turn(let channel, let epoch, _, _, _):
            rights(in: channel, epoch: epoch).contains(.turn)
        case .follow(let channel, let epoch, _):
            rights(in: channel, epoch: epoch).contains(.read)
        case .close(let channel), .deposit(let channel, _, _), .trim(let channel, _):
            has(.turn, in: channel)
        case .withdraw(let channel):
            has(.append, in: channel)
        case .create(let channel, _, _, _), .present(let channel, _, _), .unfollow(let channel):
            hasPresented(channel)
        case .hello, .register, .lookup, .ping:
            true
        }
    }

    /// Adds rights in one epoch. If the connection then has rights in more than `limit` epochs of the channel, forgets the
    /// rights that were granted longest ago.
    func grant(_ granted: Rights, in channel: ChannelID, epoch: UInt64, keeping limit: Int) {
        var epochs = rights[channel] ?? []
        var all = granted
        if let index = epochs.firstIndex(where: { $0.epoch == epoch }) {
            all.formUnion(epochs.remove(at: index).rights)
        }
        epochs.append(EpochRights(epoch: epoch, rights: all))
        if epochs.count > limit { epochs.removeFirst(epochs.count - limit) }
        rights[channel] = epochs
    }
}
