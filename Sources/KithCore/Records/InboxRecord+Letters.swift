import KithWire
import TLSCodec

extension InboxRecord {
    /// A letter that led to a conversation.
    struct TakenLetter: Sendable, TLSCodable {
        let letter: [UInt8]
        let conversation: ConversationID
        /// The id of the letter's entry; `nil` if an earlier version stored the letter. If the relay's answer was lost, the
        /// sender sends the entry again with the same id.
        let entry: EntryID?

        init(letter: [UInt8], conversation: ConversationID, entry: EntryID?) {
            self.letter = letter
            self.conversation = conversation
            self.entry = entry
        }

        init(from reader: inout TLSReader) throws(TLSCodecError) {
            letter = Array(try reader.readBytes(32))
            conversation = ConversationID(rawValue: try reader.readUInt64())
            entry = try reader.readOptional()
        }

        func encode(into writer: inout TLSWriter) {
            writer.writeBytes(letter)
            writer.write(conversation.rawValue)
            writer.writeOptional(entry)
        }
    }

    /// An entry whose letter waits until the group's tree has been fetched.
    struct HeldEntry: Sendable, TLSCodable {
        let seq: UInt64
        /// The start of the wait, by the relay's clock, in milliseconds since 1970.
        let since: UInt64

        init(seq: UInt64, since: UInt64) {
            self.seq = seq
            self.since = since
        }

        init(from reader: inout TLSReader) throws(TLSCodecError) {
            seq = try reader.readUInt64()
            since = try reader.readUInt64()
        }

        func encode(into writer: inout TLSWriter) {
            writer.write(seq)
            writer.write(since)
        }
    }
}
