import KithWire
import NIOCore

/// The limits of a relay, each with its reason. The operator can override the public limits by name
/// (`kith relay --limit NAME=VALUE`).
public struct RelayLimits: Sendable {
    /// The largest WebSocket message, in bytes. The relay decodes a frame only when the whole frame is in memory.
    public var frame = WireLimits.frame
    /// The largest payload, in bytes. The limit equals the largest padded size in a conversation, so no honest payload is longer.
    public var payload = WireLimits.payload
    /// Maximum time from accepting a connection to its `hello`, in milliseconds. A handshake over a bad mobile connection takes
    /// two to three seconds. A client that needs much longer would only occupy a connection.
    public var helloMs = 10_000
    /// Maximum number of bytes that a connection stores of an incomplete first message. The longest `hello` has 308 bytes.
    static let helloBytes = 1024
    /// Maximum number of bytes of an incomplete message that every connection may store, in addition to the bytes of one read. A
    /// message of the usual size fits. 64 connections together store as much as one large message.
    static let smallInput = 16 << 10
    /// Maximum number of connections of one address that store an incomplete message of more than ``smallInput`` at the same
    /// time. `largeInputs` is the maximum for the whole relay. Each message may have up to ``frame`` bytes. Further connections
    /// with a large message wait until an earlier large message is complete.
    static let largeInputsPerAddress = 4
    static let largeInputs = 128
    /// Time within which a message larger than ``smallInput`` must be complete, in milliseconds. A message of 1 MiB needs at
    /// least 140 kbit/s to be in time.
    static let largeInputMs: Int64 = 60_000
    /// Maximum time without a frame from the client, in milliseconds. The relay closes a connection that is silent for longer.
    /// Most NATs keep established connections longer. The relay finds dead peers before they take much memory.
    public var idleMs = 300_000
    /// Maximum number of WebSockets from one IPv4 address, or from one IPv6 /64 network. This number is enough for a family or an
    /// office behind one NAT. The limit keeps one machine from occupying all connections. A separate limit with this value
    /// applies to connections that are not WebSockets: connections that are still opening, request `/healthz` or transfer blobs.
    public var connectionsPerAddress = 64
    /// Like ``connectionsPerAddress``, but for one IPv6 /56 network. Many providers give each customer a /56 network. A /56
    /// network contains 256 /64 networks.
    public var connectionsPerIPv6Net56 = 128
    /// Like ``connectionsPerAddress``, but for one IPv6 /48 network. A /48 network belongs to a site, to several customers of a
    /// provider, or to one user of a free tunnel.
    public var connectionsPerIPv6Net48 = 512
    /// The allowance of an IPv6 /48 network, as a multiple of one address's allowance. The factor applies to rates and to daily
    /// budgets. For one inbox, ``siteFactorInInbox`` applies. With this factor, eight customers with one /64 network each can use
    /// their full allowances. A machine that has a whole /48 network gets the allowance of eight addresses.
    static let siteFactor = 8
    /// The allowance of an IPv6 /48 network in one inbox, as a multiple of one address's allowance. The factor applies to the
    /// space for waiting letters and to the number of key packages. The factor is small: neighbours rarely write to the same
    /// person. An attacker needs eight /48 networks to fill an inbox.
    static let siteFactorInInbox = 2
    /// Maximum number of connections in total. Each takes a file descriptor and about 32 KiB of memory.
    public var connections = 100_000
    /// Maximum number of requests that a connection may make each second, on average. People who type make far fewer requests.
    /// The relay can easily serve this number.
    public var requestsPerSecond = 200
    /// Maximum number of requests that a connection may make at once. A client that opens a profile makes three requests for each
    /// conversation, so this number is enough for more than a hundred conversations.
    public var requestBurst = 400
    /// Maximum number of requests that all connections of one address together may make each second, on average. The rate
    /// equals the full rate of ten connections. A request counts as its cost (`Request.cost`), plus one for each 4 KiB of its
    /// size, so the rate allows up to 8 MB/s of messages. One core can decide twenty times as many requests.
    public var addressRequestsPerSecond = 2_000
    /// Maximum number of requests that all connections of one address together may make at once. This number is enough to open
    /// forty profiles.
    public var addressRequestBurst = 16_000
    /// Number of bytes that cost as much as an append. The cost applies to the bytes of frames and to bytes that are read from
    /// the store. Copying, encrypting and storing this number of bytes takes about as long as an append.
    static let bytesOfOne = 4096
    /// The delivery of an entry or a whisper to this number of followers costs as much as one append.
    static let deliveriesOfOne = 4
    /// Cost of a new connection, in appends. The handshake takes a third of a millisecond. New connections have a separate
    /// allowance, which requests do not use up.
    static let arrivalCost = 50
    /// Additional cost of a denied `present`, in appends. The cost is charged to the connection's rate and to the address's rate.
    /// With the default rates, one connection may be denied 25 times at once, and then 12 times a second. If a relay has lost a
    /// hundred conversations of a client, the client has to wait once, for some seconds.
    static let deniedCost = 16
    /// Cost of an HTTP request about a blob, in appends. Each request reads a row.
    static let blobCost = 8
    /// Shortest pause of a connection that exceeds a rate, in milliseconds. Twenty wake-ups a second cost little, and people
    /// hardly notice a delay of this length.
    static let shortestPauseMs: Int64 = 50
    /// Length of the pause after the system could not accept a connection, in milliseconds. The missing resource, most often a
    /// file descriptor, becomes free when another connection closes. A client does not notice a wait of half a second.
    static let acceptPauseMs: Int64 = 500
    /// Maximum number of connections to the listener for `/metrics`. A monitor needs one connection. `metricsMs` is the longest
    /// duration of a connection, in milliseconds.
    static let metricsConnections = 16
    static let metricsMs: Int64 = 10_000
    /// Maximum cost, in appends, of a round while several addresses wait. A round of this cost takes two to three milliseconds.
    /// With shorter rounds, the relay would spend more of its time waiting for the disk.
    static let roundCost = 512
    /// Cost, in appends, that one address may use at a time. When an address has used this cost, the next address of the
    /// network is served. With this small cost, few rounds are enough to serve many addresses of one network.
    static let addressShareCost = 8
    /// Maximum number of channels that one connection may follow. A client uses one connection for all its conversations.
    public var follows = 4096
    /// Maximum number of channels for which one connection may have presented tokens.
    public var presentedChannels = 8192
    /// Maximum number of epochs of one channel in which a connection keeps rights. A client that catches up needs two epochs: the
    /// epoch that the client reads, and the next epoch.
    public var presentedEpochs = 8
    /// Maximum number of unanswered requests of one connection. At this number, the relay stops reading from the connection, so a
    /// fast sender cannot queue more requests for a slow disk.
    public var requestsUnderWay = 2048
    /// Maximum number of payload bytes in unanswered requests of one connection. At this number, the relay stops reading.
    public var bytesUnderWay = 1 << 20
    /// Maximum number of bytes of entries that wait to be sent to one connection. If the client reads too slowly, the relay stops
    /// passing entries to the connection before this number is reached. Later, the relay reads the missed entries from the store.
    /// A follower that does not read can take at most this amount of memory.
    public var unreadBacklog = 1 << 20
    /// Maximum number of entries that one channel keeps. Beyond this number, the oldest entries are dropped.
    public var channelEntries = 1_000_000
    /// Maximum number of payload bytes that one channel keeps. Beyond this number, the oldest entries are dropped.
    public var channelBytes = 256 << 20
    /// Maximum number of entries that wait in one inbox. A full inbox refuses new entries: the relay has promised the senders
    /// to keep the waiting entries. Each entry is a letter, and no owner would read more letters than this.
    public var inboxEntries = 4096
    /// Maximum number of payload bytes that wait in one inbox. This number is enough for 256 letters of the largest size, or for
    /// some thousands of the usual size.
    public var inboxBytes = 64 << 20
    /// Number of equal shares of an inbox. Letters from one address take at most one share until the owner has read them. To
    /// fill an inbox, an attacker therefore needs sixteen addresses. A family or an office with one address has a share of 256
    /// waiting letters. The value 1 turns this limit off.
    public var inboxAddresses = 16
    /// Maximum number of runs for the waiting letters of one address in one inbox. The space of a run becomes free when all
    /// letters of the run were read or have expired. With more runs, space becomes free sooner while the owner reads the letters.
    /// Each run takes 24 bytes of memory.
    static let runsPerShare = 4
    /// Maximum number of pairs for which the relay counts waiting letters. A pair consists of an inbox and an address, or of an
    /// inbox and a /48 network (a site). The newest 200,000 pairs are always remembered. A second table of the same maximum size
    /// counts withdrawals of key packages. A pair takes about 150 bytes.
    ///
    /// Letters are kept for 30 days. In 30 days, one address can add 4,000 pairs: first ``addressInboxes``, then
    /// ``addressInboxesPerDay`` each day. The site of the address adds another 4,000 pairs. Fifteen addresses of fifteen sites
    /// add 120,000 pairs. The relay still counts all letters of the fifteen addresses, and more addresses may add 80,000 pairs.
    var inboxShares = 400_000
    /// Maximum number of new inboxes to which one address may write without a wait. An inbox is new until the address writes its
    /// first letter. A separate limit with this value applies to the first key package that an address takes from an inbox. This
    /// number is enough for an office that writes to all of its contacts on one day. The relay counts waiting letters only for a
    /// limited number of pairs of an inbox and an address. This limit bounds the speed at which one address makes the relay
    /// forget older pairs. After 200,000 more pairs, a pair counts as new again.
    public var addressInboxes = 1_000
    /// Number of new inboxes to which one address may write in a day after it has used up ``addressInboxes``. A separate limit
    /// with this value applies to the first key package that an address takes from an inbox. With this limit, a hundred people
    /// behind one address can each write to one new contact a day.
    public var addressInboxesPerDay = 100
    /// Delay before a sender's next attempt at a full inbox, in milliseconds. The owner may be away for days, so a delay of a
    /// minute hardly matters.
    static let fullInboxRetryMs: UInt32 = 60_000
    /// Default and maximum time for which entries are kept, in seconds: 30 days.
    public var retentionSeconds = 30 * 86_400
    /// Maximum size of the store, in MiB. 0 means 80 % of the sum of the store's own size and the free space. The remaining 20 %
    /// are for the system, and for bytes that are written before the next check.
    public var storeMiB = 0
    /// Two percentages of the maximum size of the store. From ``noNewPercent`` on, the relay refuses new channels, key packages
    /// and names. From ``noRecentPercent`` on, the relay also refuses entries of recent channels. The remaining space is for
    /// established conversations. It is as large as one stranger's budget for a day or two, so an operator has time to act
    /// before it is full.
    static let noNewPercent: UInt64 = 90
    static let noRecentPercent: UInt64 = 95
    /// Maximum age of a recent channel, in milliseconds: a week. An attacker who wants to fill a store needs new channels, and
    /// every new channel is a recent channel.
    static let recentChannelMs: UInt64 = 7 * 86_400_000
    /// Interval between checks of the store's fill level, in nanoseconds. A disk writes some hundred MiB in a second.
    static let spaceCheckNanoseconds: Int64 = 1_000_000_000
    /// The time that a client is told to wait before it tries again after the store was full, in milliseconds.
    static let fullStoreRetryMs: UInt32 = 60_000

    /// Maximum size of the payloads that one address may store in a day, in MiB. A family or an office stores far less in a day.
    /// Together with ``retentionSeconds``, this limit bounds a stranger's share of the store to 30 GiB.
    public var addressMiBPerDay = 1024
    /// Maximum number of channels that one address may create in a day. This number is enough for some hundred people who begin
    /// many conversations.
    public var addressChannelsPerDay = 5_000
    /// Maximum number of names that one address may register in a day.
    public var addressNamesPerDay = 50
    /// Maximum number of key packages that one address may deposit in a day. This number is enough for some hundred inboxes.
    public var addressKeyPackagesPerDay = 10_000
    /// Maximum number of remembered budgets of addresses without a connection. The newest 50,000 budgets are always remembered. A
    /// budget takes about 150 bytes.
    static let recentAddresses = 100_000

    /// Time without use after which the relay forgets a channel that has no entries, in seconds: 120 days. Key packages and
    /// invites expire earlier. The limit bounds the cost of abandoned channels.
    public var idleChannelSeconds = 120 * 86_400
    /// Like ``idleChannelSeconds``, for an open channel that was in use for more than a week: two years. The time is longer,
    /// because people sometimes pause a conversation for a long time, and a conversation ends when its channel is forgotten. A
    /// kept channel costs about 300 bytes.
    public var quietChannelSeconds = 2 * 365 * 86_400
    /// Interval at which the use of a channel is noted, in milliseconds. A day is long enough to cause few writes.
    static let notedUseMs: UInt64 = 86_400_000
    /// Maximum age of a one-time key package, in seconds. The relay deletes older packages. Clients' key packages are valid for
    /// 90 days. The additional week allows for clocks that differ.
    public var keyPackageSeconds = 97 * 86_400
    /// Time for which clients find a name after its renewal, in seconds: a year. In the second year after the renewal, only the
    /// name's key can renew the name.
    public var nameSeconds = 365 * 86_400

    /// Largest jump of the machine's clock into the future that is accepted at once, in milliseconds. A machine may sleep for a
    /// night. A day is little compared with a retention of 30 days.
    static let believedJumpMs: UInt64 = 86_400_000
    /// Running time during which the relay doubts a jump of more than ``believedJumpMs``, in milliseconds. After this running
    /// time, the relay accepts the jump. The value is a day, in which an operator or a time server can correct the clock.
    static let doubtedJumpMs: UInt64 = 86_400_000
    /// Interval at which the time is noted for the next start, in milliseconds. While the clock is doubted, the time is noted
    /// more often.
    static let notedClockMs: UInt64 = 3_600_000

    /// Minimum time for which the relay recognises a repeated entry id, in seconds. After a longer outage, a client must read the
    /// channel to learn whether its message arrived.
    public var entryIDSeconds = 86_400
    /// Maximum number of one-time key packages on one shelf. A larger shelf would mainly serve clients that misuse it as a store.
    public var keyPackages = 1000
    /// Maximum number of key packages that one inbox gives out without a wait. When the burst is used up, the inbox gives out one
    /// key package per ``withdrawEveryMs``.
    public var withdrawBurst = 400
    /// Maximum number of key packages that one address may take from one inbox without a wait. When the burst is used up, the
    /// address may take one key package per ``withdrawAddressEveryMs``. With this number, an office behind one address can join
    /// by one invite without a wait. Even eight hostile addresses cannot use up ``withdrawBurst`` or the rate of an inbox.
    public var withdrawAddressBurst = 40
    /// Interval at which one address may take one more key package from one inbox, in milliseconds. See ``withdrawAddressBurst``.
    public var withdrawAddressEveryMs = 20_000
    /// Interval at which one inbox may give out one more key package, in milliseconds. With this interval and ``withdrawBurst``,
    /// it takes 20 minutes to empty a shelf of ``keyPackages``.
    public var withdrawEveryMs = 2_000
    /// Maximum number of channels that are kept in memory. Beyond this number, the channels that were unused for longest are
    /// evicted. Each channel takes about 1 KiB. If clients write to the channel, each entry of the last day takes 50 bytes more.
    public var cachedChannels = 100_000
    /// Minimum number of channels that are examined for eviction after each round. After each load of a channel,
    /// `examinedForEach` channels are examined. With `examinedEachRound` and `examinedForEach`, evictions keep up with the loads.
    /// An examination takes less time than the round itself.
    static let examinedEachRound = 64
    static let examinedForEach = 4
    /// Maximum number of entry ids that are kept in memory for all channels, 50 bytes each. Shortly before this limit, idle
    /// channels forget their ids until they are used again. At the limit, even channels in use forget their older ids.
    public var cachedEntryIDs = 4_000_000
    /// Divisor of ``cachedEntryIDs``: the quotient is the maximum number of entry ids that one channel keeps in memory. The
    /// maximum keeps one channel from pushing out the ids of all other channels.
    static let channelsWithAllIDs = 4
    /// Number of entry ids that one address may make the relay load from the store without a wait. An append to a channel that is
    /// not in memory loads the channel's entry ids. The limit equals ``channelEntries``. A higher number would help only
    /// attackers.
    public var loadedEntryIDs = 1_000_000
    /// Number of entry ids that one address may make the relay load each second after it has used up ``loadedEntryIDs``. Loads
    /// at this rate take about 1 % of a core.
    public var loadedEntryIDsPerSecond = 50_000
    /// If a channel has at most this number of entry ids, they are loaded without a wait for other loads. A load of this size
    /// takes less than a millisecond. A channel in use always keeps at least this number of its ids.
    static let fewEntryIDs = 4096
    /// Time from a refused `present` to its answer, in milliseconds; a slow answer takes a multiple of this time. The time does
    /// not reveal whether a channel is in memory, is on the disk or does not exist.
    public var deniedMs = 25
    /// Longest time for which the hub's thread spins until the next request, in microseconds; 0 to never spin. The thread spins
    /// only if requests follow each other closely. If the thread is asleep, the next answer takes 1.5 times as long. The
    /// default is about the time of a commit and of an answer over a near network. A longer spin would help few requests, and
    /// would take more of the processor's time.
    public var spinMicroseconds = 300
    /// Duration of one slice of a spin, in microseconds. Between two slices, other jobs of the thread run.
    static let spinSliceMicroseconds: Int64 = 20
    /// Maximum number of bytes that are read from the store at once for one follower.
    public var catchUpBytes = 128 << 10
    /// Maximum number of channels that the store reads for one connection at the same time. The entries of these reads together
    /// fit into the connection's backlog, even if the connection follows many channels.
    public var catchUpsPerConnection = 2
    /// Maximum number of one event loop's followers for which the store reads entries at the same time.
    public var catchUpsUnderWay = 16

    /// Limits of blobs.
    public var blobs = BlobLimits()

    /// Creates limits with the default values.
    public init() {}

    /// The limits for a relay that runs inside a user's own program and serves some dozens of people. These limits are lower than
    /// the default limits: the relay shares a private machine's memory and disk with other programs.
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
        limits.blobs = .household
        return limits
    }

    /// The limits that can be overridden, each with its name in `--limit`.
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
        ("blob-mib", \.blobs.sizeMiB), ("blob-store-mib", \.blobs.storeMiB),
        ("address-blob-mib-per-day", \.blobs.addressMiBPerDay), ("blob-seconds", \.blobs.keptSeconds),
        ("blob-upload-seconds", \.blobs.uploadSeconds),
    ]

    /// The names that ``override(_:with:)`` accepts.
    package static var names: [String] { byName.map(\.name) }

    /// Sets a limit by its name.
    ///
    /// - Returns: whether the limit exists and may have this value. Only `denied-ms`, `spin-us` and `store-mib` may be 0. `frame`
    ///   and `payload` cannot exceed the limits of the protocol.
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

    /// Returns the default maximum size of the store, in bytes: 80 % of the sum of the store's size and the free space.
    func share(of space: StoreSpace) -> UInt64 { (space.usedBytes + space.freeBytes) / 10 * 8 }

    var advertised: AdvertisedLimits {
        AdvertisedLimits(
            payload: UInt32(payload), frame: UInt32(frame), requestsPerSecond: UInt32(requestsPerSecond),
            requestBurst: UInt32(requestBurst), idleSeconds: UInt32(idleMs / 1000), follows: UInt32(follows),
            retentionSeconds: UInt32(retentionSeconds))
    }
}
