import KithSupport
import KithWire

/// One row of what a relay holds, for `kith relay audit`.
public enum AuditRow: Equatable, Sendable {
    /// The store as a whole.
    case store(StoreRow)
    /// A channel, open or closed.
    case channel(ChannelRow)
    /// An epoch of the channel before.
    case epoch(EpochRow)
    /// An entry of the channel before.
    case entry(EntryRow)
    /// A key package of the channel before.
    case keyPackage(KeyPackageRow)
    /// A registered name.
    case name(NameRow)

    /// The store as a whole.
    public struct StoreRow: Equatable, Sendable {
        /// The relay's own random id, in hexadecimal.
        public let relayID: String
        /// How many channels are open.
        public let channels: UInt64
        /// How many names are registered.
        public let names: UInt64
        /// Bytes on the disk.
        public let diskBytes: UInt64
    }

    /// What the relay knows of a channel.
    public struct ChannelRow: Equatable, Sendable {
        /// The relay's own number for it.
        public let number: UInt64
        /// The first 4 of its 32 random bytes, in hexadecimal.
        public let id: String
        /// Whether it is a log or an inbox.
        public let kind: ChannelKind
        /// When it was created, in milliseconds since 1970.
        public let createdMs: UInt64
        /// When its use was noted last, in milliseconds since 1970.
        public let usedMs: UInt64
        /// How long its entries are kept, in seconds.
        public let retentionSeconds: UInt32
        /// Whether it was closed.
        public let isClosed: Bool
        /// Its current epoch.
        public let epoch: UInt64
        /// The seq of the first entry kept.
        public let firstSeq: UInt64
        /// The seq of the last entry.
        public let lastSeq: UInt64
        /// The payload bytes kept.
        public let payloadBytes: UInt64
    }

    /// What the relay knows of an epoch: hashes, not the tokens.
    public struct EpochRow: Equatable, Sendable {
        /// The channel's number.
        public let channel: UInt64
        /// The epoch's number.
        public let epoch: UInt64
        /// The seq of its first entry.
        public let firstSeq: UInt64
        /// The seq of the turn that ended it; `nil` for the current one.
        public let lastSeq: UInt64?
        /// The hash of the token that lets read, in hexadecimal.
        public let readTokenHash: String
        /// The hash of the token that lets append.
        public let appendTokenHash: String
        /// The hash of the token that lets turn.
        public let turnTokenHash: String
    }

    /// What the relay knows of an entry.
    public struct EntryRow: Equatable, Sendable {
        /// The channel's number.
        public let channel: UInt64
        /// Its place in the channel.
        public let seq: UInt64
        /// The epoch it was appended in.
        public let epoch: UInt64
        /// Message or turn.
        public let kind: EntryKind
        /// When it was received, in milliseconds since 1970.
        public let receivedAtMs: UInt64
        /// Its sender's random id for it, in hexadecimal.
        public let id: String
        /// The payload's length in bytes.
        public let size: Int
        /// The first bytes of the payload, in hexadecimal: ciphertext.
        public let start: String

        init(channel: UInt64, _ entry: Entry) {
            self.channel = channel
            seq = entry.seq
            epoch = entry.epoch
            kind = entry.kind
            receivedAtMs = entry.receivedAtMs
            id = Hex.encode(entry.id.bytes)
            size = entry.payload.count
            start = Hex.encode(entry.payload.prefix(StoreLimits.auditedPayloadBytes))
        }
    }

    /// What the relay knows of a key package.
    public struct KeyPackageRow: Equatable, Sendable {
        /// The channel's number.
        public let channel: UInt64
        /// Its length in bytes.
        public let size: UInt64
        /// Whether it is given out when no other is left.
        public let isLastResort: Bool
        /// When it was deposited, in milliseconds since 1970; `nil` for one of last resort.
        public let depositedMs: UInt64?
    }

    /// What the relay knows of a name.
    public struct NameRow: Equatable, Sendable {
        /// The name.
        public let name: String
        /// The record's version.
        public let version: UInt64
        /// SHA-256 of the Ed25519 key that holds the name, in hexadecimal.
        public let identityHash: String
        /// The length of what the record says, in bytes.
        public let contentSize: Int
        /// When it was registered or last changed, in milliseconds since 1970.
        public let renewedMs: UInt64
    }
}
