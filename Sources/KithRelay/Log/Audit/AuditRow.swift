import KithSupport
import KithWire

/// One row of a relay's data, for `kith relay audit`.
public enum AuditRow: Equatable, Sendable {
    /// The store as a whole.
    case store(StoreRow)
    /// A channel, open or closed.
    case channel(ChannelRow)
    /// An epoch of the preceding channel.
    case epoch(EpochRow)
    /// An entry of the preceding channel.
    case entry(EntryRow)
    /// A key package of the preceding channel.
    case keyPackage(KeyPackageRow)
    /// A registered name.
    case name(NameRow)

    /// The store as a whole.
    public struct StoreRow: Equatable, Sendable {
        /// The relay's own random id, in hexadecimal.
        public let relayID: String
        /// Number of open channels.
        public let channels: UInt64
        /// Number of registered names.
        public let names: UInt64
        /// Bytes of the store's files.
        public let diskBytes: UInt64
    }

    /// The relay's data of a channel.
    public struct ChannelRow: Equatable, Sendable {
        /// The relay's own number of the channel.
        public let number: UInt64
        /// The first 4 of the channel's 32 random bytes, in hexadecimal.
        public let id: String
        /// Log or inbox.
        public let kind: ChannelKind
        /// Creation time, in milliseconds since 1970.
        public let createdMs: UInt64
        /// Time at which its use was last noted, in milliseconds since 1970.
        public let usedMs: UInt64
        /// Retention of its entries, in seconds.
        public let retentionSeconds: UInt32
        /// Whether the channel was closed.
        public let isClosed: Bool
        /// The current epoch.
        public let epoch: UInt64
        /// The seq of the first kept entry.
        public let firstSeq: UInt64
        /// The seq of the last entry.
        public let lastSeq: UInt64
        /// The payload bytes of the kept entries.
        public let payloadBytes: UInt64
    }

    /// The relay's data of an epoch: hashes, not the tokens.
    public struct EpochRow: Equatable, Sendable {
        /// The channel's number.
        public let channel: UInt64
        /// The epoch's number.
        public let epoch: UInt64
        /// The seq of the epoch's first entry.
        public let firstSeq: UInt64
        /// The seq of the turn that ended the epoch; `nil` for the current one.
        public let lastSeq: UInt64?
        /// The hash of the read token, in hexadecimal.
        public let readTokenHash: String
        /// The hash of the append token, in hexadecimal.
        public let appendTokenHash: String
        /// The hash of the turn token, in hexadecimal.
        public let turnTokenHash: String
    }

    /// The relay's data of an entry.
    public struct EntryRow: Equatable, Sendable {
        /// The channel's number.
        public let channel: UInt64
        /// The position in the channel.
        public let seq: UInt64
        /// The epoch that the entry was appended in.
        public let epoch: UInt64
        /// Message or turn.
        public let kind: EntryKind
        /// Time of receipt, in milliseconds since 1970.
        public let receivedAtMs: UInt64
        /// The random id that the sender chose, in hexadecimal.
        public let id: String
        /// Length of the payload in bytes.
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

    /// The relay's data of a key package.
    public struct KeyPackageRow: Equatable, Sendable {
        /// The channel's number.
        public let channel: UInt64
        /// Length in bytes.
        public let size: UInt64
        /// Whether the package is given out when no other is left.
        public let isLastResort: Bool
        /// Time of its deposit, in milliseconds since 1970; `nil` for a last-resort package.
        public let depositedMs: UInt64?
    }

    /// The relay's data of a name.
    public struct NameRow: Equatable, Sendable {
        /// The name.
        public let name: String
        /// The record's version.
        public let version: UInt64
        /// SHA-256 of the Ed25519 key that holds the name, in hexadecimal.
        public let identityHash: String
        /// Length of the record's content in bytes.
        public let contentSize: Int
        /// Time of its registration or last change, in milliseconds since 1970.
        public let renewedMs: UInt64
    }
}
