import KithWire

/// The hub's state of a connection: the tokens it has proved, and the channels it follows.
final class HubSession {
    let loop: Int
    /// The place that its costs are charged to.
    let place: Place
    let budget: PlaceBudget
    private let rates: PlaceRates?
    var hasSaidHello = false
    /// Channels of which this connection follows the current epoch.
    var follows: Set<ChannelID> = []
    private var rights: [ChannelID: [EpochRights]] = [:]

    struct EpochRights {
        let epoch: UInt64
        var rights: Rights
    }

    init(loop: Int, place: Place, budget: PlaceBudget, rates: PlaceRates?) {
        self.loop = loop
        self.place = place
        self.budget = budget
        self.rates = rates
    }

    /// Charges the place for sending something to many followers.
    func charge(followers: Int, atNanoseconds now: Int64) {
        guard followers >= RelayLimits.deliveriesOfOne else { return }
        rates?.charge(followers / RelayLimits.deliveriesOfOne, atNanoseconds: now)
    }

    var presentedChannels: Int { rights.count }

    func hasPresented(_ channel: ChannelID) -> Bool { rights[channel] != nil }

    func rights(in channel: ChannelID, epoch: UInt64) -> Rights {
        rights[channel]?.last { $0.epoch == epoch }?.rights ?? []
    }

    /// Whether the connection has proved a right in any epoch.
    func has(_ right: Rights, in channel: ChannelID) -> Bool {
        rights[channel]?.contains { $0.rights.contains(right) } ?? false
    }

    /// Whether the request may wait behind others on its channel: the connection has proved the right that it needs, or any
    /// if it needs none. A right in the current epoch is checked later; here one in any epoch is enough.
    func mayWait(_ request: Request) -> Bool {
        switch request {
        case .append(let channel, let epoch, _, _), .whisper(let channel, let epoch, _):
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
