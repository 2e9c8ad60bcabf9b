import KithSupport
import KithWire
import MLS

/// The number of a file's transfer. The number is random, and no two transfers of a profile have the same number. The name of a
/// file that is kept on this device is made from the number.
package struct TransferID: RawRepresentable, Hashable, Sendable, Comparable {
    package let rawValue: UInt64

    /// Creates an id from a number. Of a number above ``StoreKey/highest``, only the lower bits are kept.
    package init(rawValue: UInt64) { self.rawValue = rawValue & StoreKey.highest }

    /// Creates a random id.
    package static func random(from source: RandomSource) -> TransferID {
        var generator = SourceGenerator(source: source)
        return TransferID(rawValue: generator.next())
    }

    /// The name of the file in the profile's folder of files: 16 hexadecimal digits.
    package var fileName: String { Hex.encode(rawValue.encoded) }

    /// Reads the text that ``fileName`` writes; `nil` for any other text.
    package init?(fileName: String) {
        guard let bytes = Hex.decode(fileName), bytes.count == 8, Hex.encode(bytes) == fileName,
            let value = try? UInt64(decoding: bytes), value <= StoreKey.highest
        else { return nil }
        self.init(rawValue: value)
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The key under which the digest of a piece is stored.
    func pieceKey(_ piece: UInt64) -> StoreKey { StoreKey(.piece, owner: rawValue, item: piece) }
}

extension ProfileStore {
    /// Returns the number of pieces of a transfer whose digests are stored. The digests are stored in the order of the pieces.
    func pieceCount(of id: TransferID) throws(StoreError) -> UInt64 {
        let last = try rows(.piece, owner: id.rawValue, items: 0...StoreKey.highest, limit: 1, newestFirst: true).first
        return last.map { $0.item + 1 } ?? 0
    }
}

/// Identifies a file in a conversation.
package struct FilePlace: Hashable, Sendable {
    package let conversation: ConversationID
    /// The seq of the message.
    package let seq: UInt64
    /// The file's number in its message, from 1.
    package let number: Int

    package init(conversation: ConversationID, seq: UInt64, number: Int) {
        self.conversation = conversation
        self.seq = seq
        self.number = number
    }

    var entry: EntryPlace { EntryPlace(conversation: conversation, seq: seq) }

    /// The key of a file on this device; `nil` if the seq is higher than any honest log's.
    var key: StoreKey? {
        guard seq < StoreKey.highest >> 4 else { return nil }
        return StoreKey(.file, owner: conversation.rawValue, item: seq << 4 | UInt64(number - 1))
    }

    /// Creates the place to which a key belongs.
    init(conversation: ConversationID, item: UInt64) {
        self.init(conversation: conversation, seq: item >> 4, number: Int(item & 15) + 1)
    }

    /// The item numbers that the files of one message can have; `nil` if the seq is too high.
    static func items(of seq: UInt64) -> ClosedRange<UInt64>? {
        guard seq < StoreKey.highest >> 4 else { return nil }
        return seq << 4...(seq << 4 | 15)
    }
}
