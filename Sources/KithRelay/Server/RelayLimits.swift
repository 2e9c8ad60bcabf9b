import KithWire
import NIOCore

/// The limits of a relay, each with its reason. The public ones can be overridden by name
/// (`kith relay --limit NAME=VALUE`).
public struct RelayLimits: Sendable {
    /// The largest WebSocket message, in bytes. A frame has to fit into memory before it can be decoded.
    public var frame = WireLimits.frame
    /// The largest payload, in bytes: the largest padding size of a conversation, so no honest payload is longer.
    public var payload = WireLimits.payload
    /// Time from accepting a connection to its `hello`, in milliseconds. A handshake over a bad mobile line takes two
    /// to three seconds; a client that needs much longer only occupies a connection.
    public var helloMs = 10_000
    /// Bytes of input that a connection may send before its welcome: the longest `hello` has 308.
    static let helloBytes = 1024
    /// Bytes of an incomplete message that every connection may hold, in addition to the bytes of one read. A message
    /// of the usual size fits, and 64 connections hold as much as one large message.
    static let smallInput = 16 << 10
    /// Connections of one address, and in all, that may hold more than ``smallInput`` at the same time: up to ``frame``
    /// each. Others wait until one of those messages is complete.
    static let largeInputsPerAddress = 4
    static let largeInputs = 128
    /// Time in which such a large message has to be complete, in milliseconds: a MiB at 140 kbit/s.
    static let largeInputMs: Int64 = 60_000
    /// Time without a frame after which a connection is closed, in milliseconds. It is below most NATs' timeout of
    /// established connections, so dead peers are found before their memory adds up.
    public var idleMs = 300_000
    /// Connections from one IPv4 address, or from one IPv6 network of 64 bits. That is enough for a family or an office
    /// behind one NAT, and one machine can't occupy all connections. As many more may be opening, or asking for
    /// `/healthz`.
    public var connectionsPerAddress = 64
    /// Connections from one IPv6 network of 56 bits. Many providers give one to each customer, who then has 256
    /// networks of 64 bits.
    public var connectionsPerIPv6Net56 = 128
    /// Connections from one IPv6 network of 48 bits: a site, some of a provider's customers, or one free tunnel.
    public var connectionsPerIPv6Net48 = 512
    /// Allowance of an IPv6 network of 48 bits, in allowances of one address, for everything that is counted at the
    /// relay as a whole. Eight neighbours at a provider that gives each of them 64 bits do not use up each other's
    /// allowance, and one machine with all of the network's addresses counts as eight.
    static let siteFactor = 8
    /// The same for the room and the key packages of one inbox. These are few, and neighbours who write to the same
    /// person are rare. It takes eight hostile sites to fill an inbox.
    static let siteFactorInInbox = 2
    /// Connections in all. Each takes a file descriptor and about 32 KiB.
    public var connections = 100_000
    /// Requests that a connection may make each second in the long run: far more than people type, and too few to hurt.
    public var requestsPerSecond = 200
    /// Requests that a connection may make at once: opening a profile takes three for each of a hundred conversations.
    public var requestBurst = 400
    /// Requests that all connections of one address may make each second in the long run: ten connections at full rate.
    /// A request counts with its cost (`Request.cost`), and once more for each 4 KiB, so this is also 8 MB/s of
    /// messages. One address takes a twentieth of what one core decides.
    public var addressRequestsPerSecond = 2_000
    /// Requests that all connections of one address may make at once: opening forty profiles.
    public var addressRequestBurst = 16_000
    /// Bytes of a frame, or read from the store, that cost as much as an append: copying, encrypting and storing them
    /// takes about as long.
    static let bytesOfOne = 4096
    /// Number of followers for which delivering an entry or a whisper costs as much as an append.
    static let deliveriesOfOne = 4
    /// Cost of a new connection, in appends: its handshake takes a third of a millisecond. New connections have an
    /// allowance of their own, beside the one for requests.
    static let arrivalCost = 50
    /// Additional cost of a denied `present`, in appends, of its connection's rate and of its address's: 25 at once and
    /// then 12 a second on one connection. A client whose relay has lost a hundred conversations waits some seconds,
    /// once.
    static let deniedCost = 16
    /// Shortest pause of a connection that exceeds a rate, in milliseconds: twenty wake-ups a second are few, and a
    /// delay of this length is hardly noticed.
    static let shortestPauseMs: Int64 = 50
    /// Pause after the system could not accept a connection, in milliseconds. The missing resource, most often file
    /// descriptors, becomes free when connections close, and a client does not notice so short a wait.
    static let acceptPauseMs: Int64 = 500
    /// Connections to the listener for `/metrics`, and the longest duration of each, in milliseconds: a monitor needs
    /// one.
    static let metricsConnections = 16
    static let metricsMs: Int64 = 10_000
    /// Size of a round while several addresses wait, in appends: two to three milliseconds. Shorter rounds spend more
    /// of their time waiting for the disk.
    static let roundCost = 512
    /// Part of an address in its network's share of a round, in appends: small, so that few rounds serve many addresses
    /// of one network.
    static let addressShareCost = 8
    /// Channels that one connection may follow: a client has one connection for all its conversations.
    public var follows = 4096
    /// Channels for which one connection may have proved tokens.
    public var presentedChannels = 8192
    /// Epochs of one channel for which a connection keeps rights. Catching up needs the one being read and the next.
    public var presentedEpochs = 8
    /// Unanswered requests of one connection. At this number, reading from the connection pauses: it bounds the queue
    /// of a fast sender in front of a slow disk.
    public var requestsUnderWay = 2048
    /// Payload bytes in unanswered requests of one connection. At this number, reading from the connection pauses.
    public var bytesUnderWay = 1 << 20
    /// Bytes waiting to be sent to one connection. At this number, the relay stops reading the store for it, and reads
    /// its live entries from the store later. It is the cost of a follower that stops reading.
    public var unreadBacklog = 1 << 20
    /// Entries kept in one channel. The oldest are dropped first.
    public var channelEntries = 1_000_000
    /// Payload bytes kept in one channel. The oldest entries are dropped first.
    public var channelBytes = 256 << 20
    /// Entries that may wait in one inbox. A full inbox refuses new ones: dropping one would break the promise to its
    /// sender. A letter is an entry, and no owner reads more letters than this.
    public var inboxEntries = 4096
    /// Payload bytes that may wait in one inbox: 256 letters of the largest size, some thousands of the usual one.
    public var inboxBytes = 64 << 20
    /// Addresses that an inbox has room for at least. Each may occupy the same share of it, until the owner has read
    /// its letters. Sixteen hostile networks are harder to get than one, and 256 letters from a family or an office are
    /// many. 1 for no such limit.
    public var inboxAddresses = 16
    /// Runs in which an address's letters in one inbox are counted. With more runs, room becomes free sooner when the
    /// owner reads some of the letters; each costs 24 bytes.
    static let runsPerShare = 4
    /// Pairs of an inbox and an address or a site whose waiting letters the relay counts. At least the latest half of
    /// them are remembered. The same number applies to pairs whose withdrawals are counted. Each pair takes about 150
    /// bytes. An address that uses ``addressInboxes`` and then ``addressInboxesPerDay`` adds 4,000 pairs in the 30 days
    /// for which letters are kept, and as many of its site. Fifteen addresses of fifteen sites add 120,000, so none of
    /// their waiting letters is forgotten, and others may add 80,000.
    var inboxShares = 400_000
    /// Inboxes that one address may write to at once, each for the first time, and inboxes that it may take key
    /// packages from. That is enough for an office that writes to all of its contacts on one day. The relay counts
    /// waiting letters for a limited number of pairs of an inbox and an address, so this limit bounds how fast one
    /// address makes it forget the letters of others. A pair counts as new again after 200,000 other pairs.
    public var addressInboxes = 1_000
    /// Further such inboxes in a day: a hundred people behind one address, each with a new contact every day.
    public var addressInboxesPerDay = 100
    /// Time after which a sender may try a full inbox again, in milliseconds. The owner may be away for days, so a
    /// minute loses nothing.
    static let fullInboxRetryMs: UInt32 = 60_000
    /// Default and longest retention of entries, in seconds: 30 days.
    public var retentionSeconds = 30 * 86_400
    /// Bound of the store, in MiB; 0 for 80 % of the space that the store uses and the file system has free. The rest
    /// is for the system, and for the bytes written until the next check.
    public var storeMiB = 0
    /// Percent of the bound from which on the relay refuses new channels, key packages and names, and from which on it
    /// refuses entries of recent channels. The rest is for established conversations: a day or two of a stranger's
    /// budget, in which an operator can act.
    static let noNewPercent: UInt64 = 90
    static let noRecentPercent: UInt64 = 95
    /// Age below which a channel is recent, in milliseconds: a week. An attacker who fills a store creates channels for
    /// it.
    static let recentChannelMs: UInt64 = 7 * 86_400_000
    /// Interval between checks of the store's fill level, in nanoseconds. A disk writes some hundred MiB in a second.
    static let spaceCheckNanoseconds: Int64 = 1_000_000_000
    /// Time after which to try a full store again, in milliseconds.
    static let fullStoreRetryMs: UInt32 = 60_000

    /// Payload that one address may have stored in a day, in MiB. Families and offices write far less. With
    /// ``retentionSeconds``, it bounds a stranger's share of the store to 30 GiB.
    public var addressMiBPerDay = 1024
    /// Channels that one address may create in a day: enough for some hundred people who begin many conversations.
    public var addressChannelsPerDay = 5_000
    /// Names that one address may register in a day.
    public var addressNamesPerDay = 50
    /// Key packages that one address may deposit in a day: enough for some hundred inboxes.
    public var addressKeyPackagesPerDay = 10_000
    /// Addresses without a connection whose budgets are remembered: at most this many, and at least the latest half.
    /// Each takes about 150 bytes.
    static let recentAddresses = 100_000

    /// Time without use after which a channel without entries is forgotten, in seconds: 120 days. Key packages and
    /// invites do not last as long. It bounds the cost of abandoned channels.
    public var idleChannelSeconds = 120 * 86_400
    /// The same for an open channel that was in use for more than a week, in seconds: two years. Forgetting it ends a
    /// conversation, which people may let rest for long, and it costs about 300 bytes.
    public var quietChannelSeconds = 2 * 365 * 86_400
    /// Interval at which the use of a channel is noted, in milliseconds: a day, so that it causes few writes.
    static let notedUseMs: UInt64 = 86_400_000
    /// Age at which a one-time key package is deleted, in seconds: clients' key packages are valid for 90 days, and a
    /// week is for clocks that differ.
    public var keyPackageSeconds = 97 * 86_400
    /// Time for which a name is found after its renewal, in seconds: a year. For as long again, only its key can renew
    /// it.
    public var nameSeconds = 365 * 86_400

    /// Largest jump ahead of the clock that is believed at once, in milliseconds: a machine sleeps for a night, and one
    /// day of 30 is little.
    static let believedJumpMs: UInt64 = 86_400_000
    /// Running time after which a larger jump is believed, in milliseconds: a day, in which an operator or the
    /// network's time can correct the clock.
    static let doubtedJumpMs: UInt64 = 86_400_000
    /// Interval at which the time is noted for the next start, in milliseconds, unless the clock is doubted.
    static let notedClockMs: UInt64 = 3_600_000

    /// Minimum time for which a repeated entry id is recognised, in seconds. After a longer outage, a client must read
    /// the channel to learn whether its message arrived.
    public var entryIDSeconds = 86_400
    /// One-time key packages on one shelf. A larger shelf would only serve to store other data.
    public var keyPackages = 1000
    /// Key packages that one inbox gives out at once. Afterwards it gives out one in each ``withdrawEveryMs``.
    public var withdrawBurst = 400
    /// Key packages that one address may take from one inbox at once. Afterwards it may take one in each
    /// ``withdrawAddressEveryMs``. An office behind one address joins by one invite without waiting. Eight hostile
    /// addresses leave others a part of ``withdrawBurst`` and of the rate.
    public var withdrawAddressBurst = 40
    /// Interval in which one address may take one more key package from one inbox, in milliseconds. See
    /// ``withdrawAddressBurst``.
    public var withdrawAddressEveryMs = 20_000
    /// Interval in which one inbox gives out one more key package, in milliseconds. Emptying a shelf of one-time
    /// packages must take an attacker long.
    public var withdrawEveryMs = 2_000
    /// Channels kept in memory; those unused for longest are evicted first. Each takes about 1 KiB, and 50 bytes for
    /// each entry of the last day if it is written to.
    public var cachedChannels = 100_000
    /// Channels that are examined for eviction after each round, and for each channel that is loaded: enough to keep
    /// up, and less work than the round itself.
    static let examinedEachRound = 64
    static let examinedForEach = 4
    /// Entry ids kept in memory for all channels, 50 bytes each. Shortly before the limit, idle channels forget theirs
    /// until they are used again. At the limit, channels in use forget their older ones as well.
    public var cachedEntryIDs = 4_000_000
    /// Number of channels whose ids fit if each has the maximum: no channel alone can fill the memory.
    static let channelsWithAllIDs = 4
    /// Entry ids that one address may have loaded from the store at once, by appending to channels that are not in
    /// memory: a whole day of the largest channel. More would only help an attacker to keep the hub busy.
    public var loadedEntryIDs = 1_000_000
    /// Further entry ids each second: they take about a hundredth of a core.
    public var loadedEntryIDsPerSecond = 50_000
    /// Number of entries up to which a channel's ids are loaded without waiting for other loads: it takes less than a
    /// millisecond. A channel in use keeps at least this many of its ids, however short memory is.
    static let fewEntryIDs = 4096
    /// Time from a refused `present` to its answer, in milliseconds, whatever the relay had to look up: the time does
    /// not distinguish a cached channel, one on the disk and one that does not exist.
    public var deniedMs = 25
    /// Longest time for which the hub's thread spins until the next request, where requests follow each other closely,
    /// in microseconds; 0 for never. A message that finds the thread asleep takes 1.5 times as long. The default is about
    /// the time of a commit and an answer over a near network. A longer spin would help few requests, and a spinning
    /// processor does nothing else.
    public var spinMicroseconds = 300
    /// Slice of a spin, in microseconds: other work of the thread runs between two slices.
    static let spinSliceMicroseconds: Int64 = 20
    /// Bytes read from the store at once for one follower.
    public var catchUpBytes = 128 << 10
    /// Channels of one connection for which the store is read at the same time. Their entries fit into its backlog
    /// together, however many channels it follows.
    public var catchUpsPerConnection = 2
    /// Followers of one event loop for which the store is read at the same time.
    public var catchUpsUnderWay = 16

    /// The defaults.
    public init() {}

    /// Limits of a relay inside of one person's program, for some dozens of people: it shares a private machine's
    /// memory and disk with other programs.
    package static var household: RelayLimits {
        var limits = RelayLimits()
        limits.connections = 256
        limits.connectionsPerAddress = 16
        limits.connectionsPerIPv6Net56 = 32
        limits.connectionsPerIPv6Net48 = 64
        limits.storeMiB = 2048
        limits.channelBytes = 64 << 20
        limits.channelEntries = 100_000
        limits.cachedChannels = 10_000
        limits.cachedEntryIDs = 200_000
        return limits
    }

    /// The limits that can be overridden, by the name that `--limit` takes.
    nonisolated(unsafe) private static let byName: [(name: String, path: WritableKeyPath<RelayLimits, Int>)] = [
        ("frame", \.frame), ("payload", \.payload), ("hello-ms", \.helloMs), ("idle-ms", \.idleMs),
        ("connections-per-address", \.connectionsPerAddress), ("connections", \.connections),
        ("connections-per-ipv6-56", \.connectionsPerIPv6Net56), ("connections-per-ipv6-48", \.connectionsPerIPv6Net48),
        ("requests-per-second", \.requestsPerSecond), ("request-burst", \.requestBurst), ("follows", \.follows),
        ("address-requests-per-second", \.addressRequestsPerSecond),
        ("address-request-burst", \.addressRequestBurst),
        ("presented-channels", \.presentedChannels), ("presented-epochs", \.presentedEpochs),
        ("requests-under-way", \.requestsUnderWay), ("bytes-under-way", \.bytesUnderWay),
        ("unread-backlog", \.unreadBacklog), ("channel-entries", \.channelEntries), ("channel-bytes", \.channelBytes),
        ("inbox-entries", \.inboxEntries), ("inbox-bytes", \.inboxBytes),
        ("inbox-addresses", \.inboxAddresses),
        ("address-inboxes", \.addressInboxes), ("address-inboxes-per-day", \.addressInboxesPerDay),
        ("store-mib", \.storeMiB), ("address-mib-per-day", \.addressMiBPerDay),
        ("address-channels-per-day", \.addressChannelsPerDay), ("address-names-per-day", \.addressNamesPerDay),
        ("address-key-packages-per-day", \.addressKeyPackagesPerDay),
        ("idle-channel-seconds", \.idleChannelSeconds), ("quiet-channel-seconds", \.quietChannelSeconds),
        ("key-package-seconds", \.keyPackageSeconds),
        ("name-seconds", \.nameSeconds),
        ("retention-seconds", \.retentionSeconds), ("entry-id-seconds", \.entryIDSeconds),
        ("key-packages", \.keyPackages), ("withdraw-burst", \.withdrawBurst), ("withdraw-every-ms", \.withdrawEveryMs),
        ("withdraw-address-burst", \.withdrawAddressBurst), ("withdraw-address-every-ms", \.withdrawAddressEveryMs),
        ("cached-channels", \.cachedChannels), ("cached-entry-ids", \.cachedEntryIDs),
        ("loaded-entry-ids", \.loadedEntryIDs), ("loaded-entry-ids-per-second", \.loadedEntryIDsPerSecond),
        ("denied-ms", \.deniedMs), ("spin-us", \.spinMicroseconds),
        ("catch-up-bytes", \.catchUpBytes), ("catch-ups-per-connection", \.catchUpsPerConnection),
        ("catch-ups-under-way", \.catchUpsUnderWay),
    ]

    /// The names that ``override(_:with:)`` takes.
    package static var names: [String] { byName.map(\.name) }

    /// Sets a limit by its name.
    ///
    /// - Returns: whether the limit exists and may have this value. No limit can be switched off, `frame` and `payload`
    ///   can't exceed the protocol's own limits, and only `denied-ms`, `spin-us` and `store-mib` may be 0.
    package mutating func override(_ name: String, with value: Int) -> Bool {
        guard let path = Self.byName.first(where: { $0.name == name })?.path else { return false }
        guard value >= (["denied-ms", "spin-us", "store-mib"].contains(name) ? 0 : 1), value <= Int(UInt32.max) else {
            return false
        }
        if name == "frame" && value > WireLimits.frame || name == "payload" && value > WireLimits.payload {
            return false
        }
        self[keyPath: path] = value
        return true
    }

    /// The bound of the store by default.
    func share(of space: StoreSpace) -> UInt64 { (space.usedBytes + space.freeBytes) / 10 * 8 }

    var advertised: AdvertisedLimits {
        AdvertisedLimits(
            payload: UInt32(payload), frame: UInt32(frame), requestsPerSecond: UInt32(requestsPerSecond),
            requestBurst: UInt32(requestBurst), idleSeconds: UInt32(idleMs / 1000), follows: UInt32(follows),
            retentionSeconds: UInt32(retentionSeconds))
    }
}
