import KithWire
import NIOCore

/// What a relay allows. Every limit stands here with its reason, and each can be overridden by its name
/// (`kith relay --limit NAME=VALUE`).
public struct RelayLimits: Sendable {
    /// The largest WebSocket message, in bytes. A frame has to fit into memory before it can be judged.
    public var frame = WireLimits.frame
    /// The largest payload, in bytes. The conversation's largest padding size, so nothing honest is longer.
    public var payload = WireLimits.payload
    /// From accepting a connection to its `hello`, in milliseconds. A handshake over a bad mobile line takes two to
    /// three seconds; who needs longer is holding a place.
    public var helloMs = 10_000
    /// Without any frame for this long, in milliseconds, a connection is closed. Below the idle time of most NATs'
    /// established-connection timers, so dead peers are found before their memory adds up.
    public var idleMs = 300_000
    /// Connections from one address, or from one IPv6 network of 64 bits. A family or an office behind one NAT fits; one machine cannot take all places.
    public var connectionsPerAddress = 64
    /// Connections in all: file descriptors and about 32 KiB each.
    public var connections = 100_000
    /// Requests a connection may make each second in the long run: far above what people type, below what hurts.
    public var requestsPerSecond = 200
    /// Requests a connection may make at once: opening a profile with a hundred conversations takes three each.
    public var requestBurst = 400
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
    public var inboxPlaces = 16
    /// Runs in which an address's letters in one inbox are counted. More free the room sooner when the owner reads some of
    /// them, and cost 24 bytes each.
    static let runsPerShare = 4
    /// Pairs of an inbox and an address whose waiting letters, or withdrawn key packages, are counted: at most that many, and
    /// at least the latest half. About 150 bytes each; one address has to write to half as many inboxes to be forgotten in one.
    static let inboxShares = 200_000
    /// When a sender may look again whether the owner of a full inbox has made room, in milliseconds. The owner may be
    /// away for days, so a minute loses nothing.
    static let fullInboxRetryMs: UInt32 = 60_000
    /// How long entries are kept where the creator asked for nothing, and at most, in seconds: 30 days.
    public var retentionSeconds = 30 * 86_400
    /// How long a repeated entry id is recognised at least, in seconds. A device that could not ask for longer than a
    /// day whether its message arrived looks into the channel instead.
    public var entryIDSeconds = 86_400
    /// One-time key packages on one shelf. More would only be a way to store things.
    public var keyPackages = 1000
    /// Key packages that one inbox gives out at once, and then again one in each `withdrawEveryMs`.
    public var withdrawBurst = 50
    /// Key packages that one address takes from one inbox at once, and then again one in each ``withdrawPlaceEveryMs``. A few
    /// people behind one address find somebody at the same time; eight hostile addresses leave others a part of the rate.
    public var withdrawPlaceBurst = 10
    /// See ``withdrawPlaceBurst``.
    public var withdrawPlaceEveryMs = 20_000
    /// See ``withdrawBurst``. Emptying a shelf of one-time packages must take an attacker long.
    public var withdrawEveryMs = 2_000
    /// Channels kept in memory; the longest unused go first. About 1 KiB each, and 50 bytes for each entry of the
    /// last day in a channel that is written to.
    public var cachedChannels = 100_000
    /// Channels that are asked whether they may be forgotten, after one round and for each one that comes: enough to keep
    /// up, and less than a round takes anyway.
    static let askedEachRound = 64
    static let askedForEach = 4
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
    public var lingerMicroseconds = 300
    /// It waits in pieces of this many microseconds: other work for that thread has its turn between them.
    static let lingerPieceMicroseconds: Int64 = 20
    /// Bytes read from the store at once for one follower.
    public var catchUpBytes = 128 << 10
    /// Channels of one connection for which the store is being read at the same time. Together they fit its backlog, however
    /// many it follows.
    public var catchUpsPerConnection = 2
    /// Followers of one event loop for which the store is being read at the same time.
    public var catchUpsUnderWay = 16

    /// The defaults.
    public init() {}

    /// Every limit that can be overridden, by the name that `--limit` takes.
    nonisolated(unsafe) private static let byName: [(name: String, path: WritableKeyPath<RelayLimits, Int>)] = [
        ("frame", \.frame), ("payload", \.payload), ("hello-ms", \.helloMs), ("idle-ms", \.idleMs),
        ("connections-per-address", \.connectionsPerAddress), ("connections", \.connections),
        ("requests-per-second", \.requestsPerSecond), ("request-burst", \.requestBurst), ("follows", \.follows),
        ("presented-channels", \.presentedChannels), ("presented-epochs", \.presentedEpochs),
        ("requests-under-way", \.requestsUnderWay), ("bytes-under-way", \.bytesUnderWay),
        ("unread-backlog", \.unreadBacklog), ("channel-entries", \.channelEntries), ("channel-bytes", \.channelBytes),
        ("inbox-entries", \.inboxEntries), ("inbox-bytes", \.inboxBytes),
        ("inbox-places", \.inboxPlaces),
        ("retention-seconds", \.retentionSeconds), ("entry-id-seconds", \.entryIDSeconds),
        ("key-packages", \.keyPackages), ("withdraw-burst", \.withdrawBurst), ("withdraw-every-ms", \.withdrawEveryMs),
        ("withdraw-place-burst", \.withdrawPlaceBurst), ("withdraw-place-every-ms", \.withdrawPlaceEveryMs),
        ("cached-channels", \.cachedChannels), ("cached-entry-ids", \.cachedEntryIDs),
        ("loaded-entry-ids", \.loadedEntryIDs), ("loaded-entry-ids-per-second", \.loadedEntryIDsPerSecond),
        ("denied-ms", \.deniedMs), ("linger-us", \.lingerMicroseconds),
        ("catch-up-bytes", \.catchUpBytes), ("catch-ups-per-connection", \.catchUpsPerConnection),
        ("catch-ups-under-way", \.catchUpsUnderWay),
    ]

    /// The names that ``override(_:with:)`` takes.
    public static var names: [String] { byName.map(\.name) }

    /// Sets a limit by its name.
    ///
    /// - Returns: whether there is such a limit and it may have this value. Nothing is unlimited, `frame` and `payload`
    ///   cannot exceed ``WireLimits``, and only `denied-ms` and `linger-us` may be 0.
    public mutating func override(_ name: String, with value: Int) -> Bool {
        guard let path = Self.byName.first(where: { $0.name == name })?.path else { return false }
        guard value >= (["denied-ms", "linger-us"].contains(name) ? 0 : 1), value <= Int(UInt32.max) else {
            return false
        }
        if name == "frame" && value > WireLimits.frame || name == "payload" && value > WireLimits.payload {
            return false
        }
        self[keyPath: path] = value
        return true
    }

    var advertised: AdvertisedLimits {
        AdvertisedLimits(
            payload: UInt32(payload), frame: UInt32(frame), requestsPerSecond: UInt32(requestsPerSecond),
            requestBurst: UInt32(requestBurst), idleSeconds: UInt32(idleMs / 1000), follows: UInt32(follows),
            retentionSeconds: UInt32(retentionSeconds))
    }
}
