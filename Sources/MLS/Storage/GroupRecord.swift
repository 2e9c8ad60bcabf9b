/// The key of a ``GroupRecord``. A record is a part of a group's state within an epoch.
public enum GroupRecordKey: Hashable, Comparable, Sendable {
    /// A node of the secret tree with an unused secret (RFC 9420 §9).
    case node(UInt32)
    /// The ratchets of a member (§9.1).
    case leaf(LeafIndex)
    /// An uncommitted proposal, discarded or not (§12.1). The number is the proposal's position in the order of arrival.
    case proposal(UInt32)
    /// The safe exporter (draft-ietf-mls-extensions).
    case exporter

    /// A number that is unique among the records of a group. The number can be a key in a database.
    public var rawValue: UInt64 {
        switch self {
        case .node(let index): UInt64(index)
        case .leaf(let leaf): 1 << 32 | UInt64(leaf.rawValue)
        case .proposal(let index): 2 << 32 | UInt64(index)
        case .exporter: 3 << 32
        }
    }

    /// Returns the key for a number; nil if the number belongs to no key.
    public init?(rawValue: UInt64) {
        let index = UInt32(truncatingIfNeeded: rawValue)
        switch rawValue >> 32 {
        case 0: self = .node(index)
        case 1: self = .leaf(LeafIndex(rawValue: index))
        case 2: self = .proposal(index)
        case 3 where index == 0: self = .exporter
        default: return nil
        }
    }

    /// Compares the numbers of two keys.
    public static func < (left: GroupRecordKey, right: GroupRecordKey) -> Bool { left.rawValue < right.rawValue }
}

/// A small piece of a group's state that a single message can change.
public struct GroupRecord: Sendable {
    /// The key of the record.
    public let key: GroupRecordKey
    /// The content for storage under the key. If the content is nil, delete the stored record.
    public let content: SecretBytes?

    /// Creates a record from its key and content.
    public init(key: GroupRecordKey, content: SecretBytes?) {
        self.key = key
        self.content = content
    }
}
