import KithWire
import NIOCore

/// The limits of a relay. Every limit stands here with its reason, and each can be overridden by its name
/// (`kith relay --limit NAME=VALUE`).
public struct RelayLimits: Sendable {
    /// The largest WebSocket message, in bytes. A frame has to fit into memory before it can be judged.
    public var frame = WireLimits.frame
    /// The largest payload, in bytes. The conversation's largest padding size, so nothing honest is longer.
    public var payload = WireLimits.payload
    /// From accepting a connection to its `hello`, in milliseconds. A handshake over a bad mobile line takes two to
    /// three seconds; who needs longer is holding a place.
    public var helloMs = 10_000
    /// Bytes of input that a connection may have before its welcome: the longest `hello` has 308.
    static let helloBytes = 1024
    /// Bytes of a message that has not come whole, which every connection may have beside what one read brings. A message of
    /// the usual size fits, and 64 connections have as much as one large message.
    static let smallInput = 16 << 10
    /// Connections of one address, and of all, that may have more than that of a message at the same time: up to ``frame``
    /// each. Others wait until one of those messages is whole.
    static let largeInputsPerAddress = 4
    static let largeInputs = 128
    /// Time in which a message of more than that has to come whole, in milliseconds: a MiB at 140 kbit/s.
    static let largeInputMs: Int64 = 60_000
    /// Without any frame for this long, in milliseconds, a connection is closed. Below the idle time of most NATs'
    /// established-connection timers, so dead peers are found before their memory adds up.
    public var idleMs = 300_000
    /// Connections from one IPv4 address, or from one IPv6 network of 64 bits. A family or an office behind one NAT
    /// fits; one machine cannot take all places. As many more may be opening, or asking for `/healthz`.
    public var connectionsPerAddress = 64
    /// Connections from one IPv6 network of 56 bits: what many providers give one customer, who has 256 networks of 64 bits
    /// in it.
    public var connectionsPerIPv6Net56 = 128
    /// Connections from one IPv6 network of 48 bits: a site, a part of a provider's customers, or one free tunnel.
    public var connectionsPerIPv6Net48 = 512
    /// Allowance of an IPv6 network of 48 bits, in allowances of one address in it, for everything that addresses are charged
    /// for at the relay as a whole. Eight neighbours at a provider that gives each of them 64 bits do not use up each other's,
    /// and one machine with all of the network's addresses counts as eight.
    static let siteFactor = 8
    /// The same for what one inbox has, its room and its key packages: those are few, and neighbours who write to the same
    /// person are rare. Eight hostile sites are needed to fill an inbox.
    static let siteFactorInInbox = 2
    /// Connections in all: file descriptors and about 32 KiB each.
    public var connections = 100_000
    /// Requests a connection may make each second in the long run: far above what people type, below what hurts.
    public var requestsPerSecond = 200
    /// Requests a connection may make at once: opening a profile with a hundred conversations takes three each.
    public var requestBurst = 400
    /// Requests that all connections of one address may make each second in the long run: ten connections at their rate. A
    /// request counts for what it costs (``Request/cost``) and once more for each ``bytesOfOne``, so this is 8 MB/s of
    /// messages too. An address takes a twentieth of what one core decides.
    public var addressRequestsPerSecond = 2_000
    /// Requests that all connections of one address may make at once: forty profiles that are opened.
    public var addressRequestBurst = 16_000
    /// Bytes of a frame, or read from the store, that cost as much as an append: copying, encrypting and storing them
    /// takes about as long.
    static let bytesOfOne = 4096
    /// Followers for whom sending an entry or a whisper costs as much as an append.
    static let deliveriesOfOne = 4
    /// A new connection costs as much as this many appends: a third of a millisecond for the handshake. An address has an
    /// allowance for them beside the one for requests.
    static let arrivalCost = 50
    /// A `present` that is denied costs this many appends more, of its connection's rate and of its address's: 25 at once and
    /// then 12 a second on one connection. A client whose relay has lost a hundred conversations waits some seconds, once.
    static let deniedCost = 16
    /// A connection over a rate is not read for at least this long, in milliseconds: twenty wake-ups a second are few, and a
    /// delay of this length is hardly felt.
    static let shortestPauseMs: Int64 = 50
    /// Pause after the system could not accept a connection, in milliseconds: what is missing then, most often file
    /// descriptors, comes back when connections close, and a client waits that long without noticing.
    static let acceptPauseMs: Int64 = 500
    /// Connections to the listener for `/metrics`, and how long each may take, in milliseconds: one monitor needs one.
    static let metricsConnections = 16
    static let metricsMs: Int64 = 10_000
    /// Size of a round while several addresses wait, in appends: two to three milliseconds. Shorter
    /// rounds spend more of their time waiting for the disk.
    static let roundCost = 512
    /// Turn of an address in its network's share of a round, in appends: small, so that many addresses of one network each
    /// have a turn in few rounds.
    static let addressShareCost = 8
    /// Channels that one connection follows: a client has one connection for all its conversations.
    public var follows = 4096
    /// Channels that one connection has proved tokens for.
    public var presentedChannels = 8192
    /// Epochs of one channel that a connection keeps rights for. Catching up needs the one being read and the next.
    public var presentedEpochs = 8
    /// Requests of one connection that wait for their answers; then reading pauses for it. Bounds what a fast sender
    /// can queue in front of a slow disk.
    public var requestsUnderWay = 2048
    /// Payload bytes of one connection that wait for their answers; then reading pauses for it.
    public var bytesUnderWay = 1 << 20
    /// Bytes waiting to be sent to one connection; then nothing more is read from the store for it, and its live
    /// entries are read from the store later. What a follower that stops reading costs.
    public var unreadBacklog = 1 << 20
    /// Entries kept in one channel. The oldest go first.
    public var channelEntries = 1_000_000
    /// Payload bytes kept in one channel. The oldest entries go first.
    public var channelBytes = 256 << 20
    /// Entries that wait in one inbox. Then it refuses: what waits was promised to somebody. A letter is an entry, and
    /// more letters than this are read by nobody.
    public var inboxEntries = 4096
    /// Payload bytes that wait in one inbox: 256 letters of the largest size, some thousands of the usual one.
    public var inboxBytes = 64 << 20
    /// Addresses that an inbox has room for at least: each may occupy the same share of it, until the owner has read what
    /// it wrote. Sixteen hostile networks are harder to come by than one, and 256 letters from a family or an
    /// office are many. 1 for no such limit.
    public var inboxAddresses = 16
    /// Runs in which an address's letters in one inbox are counted. More free the room sooner when the owner reads some of
    /// them, and cost 24 bytes each.
    static let runsPerShare = 4
    /// Pairs of an inbox and an address, or a site, whose waiting letters are counted, and as many whose withdrawals are: at
    /// most that many, and at least the latest half. About 150 bytes each. An address that takes ``addressInboxes`` and then
    /// ``addressInboxesPerDay`` adds 4,000 pairs in the 30 days for which letters are kept, and as many of its site. Fifteen
    /// addresses of fifteen sites add 120,000, so they have nothing forgotten that waits, and others may add 80,000 beside.
    var inboxShares = 400_000
    /// Inboxes that one address may write to at once, each for the first time, and inboxes that it may take key packages from.
    /// An office that writes to all of its contacts on one day has enough. It bounds what makes the relay forget others; see
    /// ``inboxShares``. A pair counts again when half of ``inboxShares`` have come since.
    public var addressInboxes = 1_000
    /// How many of them more in a day: a hundred people behind one address, each with a new contact every day.
    public var addressInboxesPerDay = 100
    /// When a sender may look again whether the owner of a full inbox has made room, in milliseconds. The owner may be
    /// away for days, so a minute loses nothing.
    static let fullInboxRetryMs: UInt32 = 60_000
    /// How long entries are kept where the creator asked for nothing, and at most, in seconds: 30 days.
    public var retentionSeconds = 30 * 86_400
    /// Bound on the store, in MiB; 0 for 80 % of what its file system has for it: its own size and what is free. The rest
    /// is for the system, and for what is written before it is looked again.
    public var storeMiB = 0
    /// Percent of that from which on nothing new is taken (channels, key packages, names), and from which on no entries of
    /// channels that were created lately. The rest is for conversations that were there before: a day or two of a stranger's
    /// budget, in which an operator can act.
    static let noNewPercent: UInt64 = 90
    static let noRecentPercent: UInt64 = 95
    /// A channel is late for a week, in milliseconds: whoever fills a store makes channels to do it with.
    static let recentChannelMs: UInt64 = 7 * 86_400_000
    /// Interval between checks of the store's fill level, in nanoseconds. In a second a disk writes some hundred MiB.
    static let spaceCheckNanoseconds: Int64 = 1_000_000_000
    /// When to try again with a full store, in milliseconds.
    static let fullStoreRetryMs: UInt32 = 60_000

    /// Payload bytes that one address may have stored in a day, in MiB. Families and offices write far less; it bounds what a
    /// stranger fills, with ``retentionSeconds``, to 30 GiB.
    public var addressMiBPerDay = 1024
    /// Channels that one address may create in a day: some hundred people who begin many conversations.
    public var addressChannelsPerDay = 5_000
    /// Names that one address may register in a day.
    public var addressNamesPerDay = 50
    /// Key packages that one address may deposit in a day: some hundred inboxes.
    public var addressKeyPackagesPerDay = 10_000
    /// Addresses without a connection of which it is known what they had stored: at most that many, and at least the latest
    /// half. About 150 bytes each.
    static let recentAddresses = 100_000

    /// A channel without entries that nobody with a right has used for this long is forgotten, in seconds: 120 days. It is
    /// longer than key packages and invites last, and bounds what channels cost that are made and left.
    public var idleChannelSeconds = 120 * 86_400
    /// The same for an open channel that was in use for more than ``StoreLimits/longUseMs``, in seconds: two years.
    /// Forgetting it ends a conversation, which people may let rest for long, and it costs about 300 bytes.
    public var quietChannelSeconds = 2 * 365 * 86_400
    /// That a channel is used is noted once in this time, in milliseconds: a day, to write little for it.
    static let notedUseMs: UInt64 = 86_400_000
    /// A one-time key package goes after this long, in seconds: clients' key packages are valid for 90 days, and a week is
    /// for clocks that differ.
    public var keyPackageSeconds = 97 * 86_400
    /// A name is found for this long after it was renewed, in seconds: a year. For as long again, only its key can renew it.
    public var nameSeconds = 365 * 86_400

    /// A clock that jumps ahead by no more is believed at once, in milliseconds: a machine sleeps for a night, and of 30 days
    /// one is little.
    static let believedJumpMs: UInt64 = 86_400_000
    /// One that jumps further is believed when the relay has run this long since, in milliseconds: a day in which an operator,
    /// or the network's time, can set it right.
    static let doubtedJumpMs: UInt64 = 86_400_000
    /// Interval at which the time is noted for the next start, in milliseconds, unless the clock is doubted.
    static let notedClockMs: UInt64 = 3_600_000

    /// How long a repeated entry id is recognised at least, in seconds. A device that could not ask for longer than a
    /// day whether its message arrived looks into the channel instead.
    public var entryIDSeconds = 86_400
    /// One-time key packages on one shelf. More would only be a way to store things.
    public var keyPackages = 1000
    /// Key packages that one inbox gives out at once, and then again one in each `withdrawEveryMs`.
    public var withdrawBurst = 400
    /// Key packages that one address takes from one inbox at once, and then again one in each ``withdrawAddressEveryMs``. An
    /// office behind one address joins by one invite without waiting. Eight hostile addresses leave others a part of
    /// ``withdrawBurst`` and of the rate.
    public var withdrawAddressBurst = 40
    /// See ``withdrawAddressBurst``.
    public var withdrawAddressEveryMs = 20_000
    /// See ``withdrawBurst``. Emptying a shelf of one-time packages must take an attacker long.
    public var withdrawEveryMs = 2_000
    /// Channels kept in memory; the longest unused go first. About 1 KiB each, and 50 bytes for each entry of the
    /// last day in a channel that is written to.
    public var cachedChannels = 100_000
    /// Channels that are asked whether they may be forgotten, after one round and for each one that comes: enough to keep
    /// up, and less than a round takes anyway.
    static let examinedEachRound = 64
    static let examinedForEach = 4
    /// Entry ids kept in memory over all channels: 50 bytes each. Shortly before that, idle channels forget theirs until they
    /// are used again; from there on, channels in use forget their older ones as well.
    public var cachedEntryIDs = 4_000_000
    /// Channels whose ids fit if each has as many as one can have: none takes the place of all others.
    static let channelsWithAllIDs = 4
    /// Entry ids that one address may have loaded from the store at once, by appending to channels that are not in memory.
    /// The whole day of the largest channel; more only helps who wants to keep the hub busy.
    public var loadedEntryIDs = 1_000_000
    /// How many of them more each second: about a hundredth of a core.
    public var loadedEntryIDsPerSecond = 50_000
    /// Channels with no more entries have their ids loaded whoever else has some loaded: it takes less than a millisecond.
    /// A channel in use keeps at least that many of its ids, however short memory is.
    static let fewEntryIDs = 4096
    /// A refused `present` is answered this long after it came, in milliseconds, whatever the relay had to look up: a
    /// cached channel, one on the disk and one that does not exist cannot be told apart by the clock.
    public var deniedMs = 25
    /// How long the thread that decides waits awake for the next request where they follow each other closely, in
    /// microseconds; 0 for never. A message that finds it asleep takes half as long again. As long as a commit and an answer
    /// over a near network take: what comes later gains little from it, and a processor that waits does nothing else.
    public var spinMicroseconds = 300
    /// It waits in pieces of this many microseconds: other work for that thread has its turn between them.
    static let spinSliceMicroseconds: Int64 = 20
    /// Bytes read from the store at once for one follower.
    public var catchUpBytes = 128 << 10
    /// Channels of one connection for which the store is being read at the same time. Together they fit its backlog, however
    /// many it follows.
    public var catchUpsPerConnection = 2
    /// Followers of one event loop for which the store is being read at the same time.
    public var catchUpsUnderWay = 16

    /// The defaults.
    public init() {}

    /// For a relay inside of one person's program, for some dozens of people: it shares a private machine's memory and disk
    /// with everything else there.
    public static var household: RelayLimits {
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

    /// Every limit that can be overridden, by the name that `--limit` takes.
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
        ("source-inboxes", \.addressInboxes), ("source-inboxes-per-day", \.addressInboxesPerDay),
        ("store-mib", \.storeMiB), ("source-mib-per-day", \.addressMiBPerDay),
        ("source-channels-per-day", \.addressChannelsPerDay), ("source-names-per-day", \.addressNamesPerDay),
        ("source-key-packages-per-day", \.addressKeyPackagesPerDay),
        ("idle-channel-seconds", \.idleChannelSeconds), ("quiet-channel-seconds", \.quietChannelSeconds),
        ("key-package-seconds", \.keyPackageSeconds),
        ("name-seconds", \.nameSeconds),
        ("retention-seconds", \.retentionSeconds), ("entry-id-seconds", \.entryIDSeconds),
        ("key-packages", \.keyPackages), ("withdraw-burst", \.withdrawBurst), ("withdraw-every-ms", \.withdrawEveryMs),
        ("withdraw-source-burst", \.withdrawAddressBurst), ("withdraw-source-every-ms", \.withdrawAddressEveryMs),
        ("cached-channels", \.cachedChannels), ("cached-entry-ids", \.cachedEntryIDs),
        ("loaded-entry-ids", \.loadedEntryIDs), ("loaded-entry-ids-per-second", \.loadedEntryIDsPerSecond),
        ("denied-ms", \.deniedMs), ("spin-us", \.spinMicroseconds),
        ("catch-up-bytes", \.catchUpBytes), ("catch-ups-per-connection", \.catchUpsPerConnection),
        ("catch-ups-under-way", \.catchUpsUnderWay),
    ]

    /// The names that ``override(_:with:)`` takes.
    public static var names: [String] { byName.map(\.name) }

    /// Sets a limit by its name.
    ///
    /// - Returns: whether there is such a limit and it may have this value. Nothing is unlimited, `frame` and `payload`
    ///   cannot exceed ``WireLimits``, and only `denied-ms`, `spin-us` and `store-mib` may be 0.
    public mutating func override(_ name: String, with value: Int) -> Bool {
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

    /// Share of a file system that the store takes by default.
    func share(of space: StoreSpace) -> UInt64 { (space.usedBytes + space.freeBytes) / 10 * 8 }

    var advertised: AdvertisedLimits {
        AdvertisedLimits(
            payload: UInt32(payload), frame: UInt32(frame), requestsPerSecond: UInt32(requestsPerSecond),
            requestBurst: UInt32(requestBurst), idleSeconds: UInt32(idleMs / 1000), follows: UInt32(follows),
            retentionSeconds: UInt32(retentionSeconds))
    }
}
