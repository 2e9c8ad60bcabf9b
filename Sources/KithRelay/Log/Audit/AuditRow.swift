import KithSupport
import KithWire

/// One row of a relay's data, as `kith relay audit` shows it.
package enum AuditRow: Equatable, Sendable {
    /// The store as a whole.
    case store(StoreRow)
    /// An open or closed channel.
    case channel(ChannelRow)
    /// An epoch of the preceding channel.
    case epoch(EpochRow)
    /// An entry of the preceding channel.
    case entry(EntryRow)
    /// A key package of the preceding channel.
    case keyPackage(KeyPackageRow)
    /// A registered name.
    case name(NameRow)
    /// A blob.
    case blob(BlobRow)

    /// The store as a whole.
    package struct StoreRow: Equatable, Sendable {
        /// The relay's own random id, in hexadecimal.
        package let relayID: String
        /// Number of open channels.
        package let channels: UInt64
        /// Number of registered names.
        package let names: UInt64
        /// Total size of the store's files, in bytes.
        package let diskBytes: UInt64
    }

    /// The data that the relay has about a channel.
    package struct ChannelRow: Equatable, Sendable {
        /// The relay's own number for the channel.
        package let number: UInt64
        /// The first 4 of the channel's 32 random bytes, in hexadecimal.
        package let id: String
        /// Log or inbox.
        package let kind: ChannelKind
        /// Time of creation, in milliseconds since 1970.
        package let createdMs: UInt64
        /// Time of the last noted use of the channel, in milliseconds since 1970.
        package let usedMs: UInt64
        /// Time for which the channel keeps its entries, in seconds.
        package let retentionSeconds: UInt32
        /// Whether the channel was closed.
        package let isClosed: Bool
        /// The current epoch.
        package let epoch: UInt64
        /// The seq of the first kept entry.
        package let firstSeq: UInt64
        /// The seq of the last entry.
        package let lastSeq: UInt64
        /// Total payload size of the kept entries, in bytes.
        package let payloadBytes: UInt64
    }

    /// The data that the relay has about an epoch. The row contains hashes of the tokens, not the tokens themselves.
    package struct EpochRow: Equatable, Sendable {
        /// The channel's number.
        package let channel: UInt64
        /// The epoch's number.
        package let epoch: UInt64
        /// The seq of the epoch's first entry.
        package let firstSeq: UInt64
        /// The seq of the turn that ended the epoch; `nil` for the current epoch.
        package let lastSeq: UInt64?
        /// The hash of the read token, in hexadecimal.
        package let readTokenHash: String
        /// The hash of the append token, in hexadecimal.
        package let appendTokenHash: String
        /// The hash of the turn token, in hexadecimal.
        package let turnTokenHash: String
    }

    /// The data that the relay has about an entry.
    package struct EntryRow: Equatable, Sendable {
        /// The channel's number.
        package let channel: UInt64
        /// The entry's position in the channel.
        package let seq: UInt64
        /// The epoch in which the entry was appended.
        package let epoch: UInt64
        /// Message or turn.
        package let kind: EntryKind
        /// Time of receipt, in milliseconds since 1970.
        package let receivedAtMs: UInt64
        /// The random id that the sender chose, in hexadecimal.
        package let id: String
        /// Length of the payload in bytes.
        package let size: Int
        /// The first bytes of the encrypted payload, in hexadecimal.
        package let start: String

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

    /// The data that the relay has about a key package.
    package struct KeyPackageRow: Equatable, Sendable {
        /// The channel's number.
        package let channel: UInt64
        /// Length in bytes.
        package let size: UInt64
        /// Whether the package is the last resort. The relay gives out this package only when no one-time package is left.
        package let isLastResort: Bool
        /// Time of the deposit, in milliseconds since 1970; `nil` for a last-resort package.
        package let depositedMs: UInt64?
    }

    /// The data that the relay has about a name.
    package struct NameRow: Equatable, Sendable {
        /// The name.
        package let name: String
        /// The record's version.
        package let version: UInt64
        /// SHA-256 of the Ed25519 key that owns the name, in hexadecimal.
        package let identityHash: String
        /// Length of the record's content in bytes.
        package let contentSize: Int
        /// Time of the last renewal, or of the registration if there was no renewal, in milliseconds since 1970.
        package let renewedMs: UInt64
    }

    /// The data that the relay has about a blob. The row contains hashes of the tokens, not the tokens themselves.
    package struct BlobRow: Equatable, Sendable {
        /// The first 4 of the blob's 32 random bytes, in hexadecimal.
        package let id: String
        /// The size in bytes.
        package let size: UInt64
        /// Number of bytes that were uploaded and are durable.
        package let stored: UInt64
        /// Length of the file in bytes; `nil` if there is no file.
        package let fileBytes: UInt64?
        /// Time of creation, in milliseconds since 1970.
        package let createdMs: UInt64
        /// Time at which the blob is deleted, in milliseconds since 1970.
        package let expiresMs: UInt64
        /// The hash of the read token, in hexadecimal.
        package let readTokenHash: String
        /// The hash of the write token, in hexadecimal.
        package let writeTokenHash: String

        /// Whether the file lacks bytes that the relay has acknowledged.
        package var isDamaged: Bool { stored > 0 && fileBytes ?? 0 < stored }
    }
}
