import KithWire
import TLSCodec

/// A letter that stays at the relay until this device can process it. Meanwhile, this device processes the letters behind it.
struct AsideLetter: Sendable, TLSCodable {
    /// The reason why a letter stays at the relay.
    enum Reason: Sendable {
        /// The letter is from a stranger, and the maximum number of pending conversations has been reached.
        case room
        /// The letter invites this device to a conversation that the device already has. More of the conversation's log has to be
        /// read before the letter is processed.
        case log(LogWait)
    }

    let seq: UInt64
    var reason: Reason

    init(seq: UInt64, reason: Reason) {
        self.seq = seq
        self.reason = reason
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        seq = try reader.readUInt64()
        switch try reader.readUInt8() {
        case 1: reason = .room
        case 2: reason = .log(try reader.read())
        case let other: throw .unknownValue(field: "AsideLetter.reason", value: UInt64(other))
        }
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(seq)
        switch reason {
        case .room: writer.write(UInt8(1))
        case .log(let wait):
            writer.write(UInt8(2))
            writer.write(wait)
        }
    }
}

/// A Welcome's wait for more of its conversation's log. According to the part of the log that was read so far, this device is
/// still a member, and a member needs no Welcome. The unread part may say that the device was removed and added again while it
/// was offline. The log and the inbox may be at different relays, so the log may arrive later than the Welcome.
struct LogWait: Sendable, TLSCodable {
    let conversation: ConversationID
    /// The epoch of the Welcome.
    let epoch: UInt64
    /// The start of the wait, by the clock of the inbox's relay, in milliseconds since 1970.
    var since: UInt64

    init(conversation: ConversationID, epoch: UInt64, since: UInt64) {
        self.conversation = conversation
        self.epoch = epoch
        self.since = since
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        conversation = ConversationID(rawValue: try reader.readUInt64())
        epoch = try reader.readUInt64()
        since = try reader.readUInt64()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(conversation.rawValue)
        writer.write(epoch)
        writer.write(since)
    }

    /// Returns the remaining time of the wait, in milliseconds. The whole wait takes at most ``ClientLimits/parcelMs``, which is
    /// a day.
    ///
    /// - Parameter now: the time of the clock of the inbox's relay, in milliseconds since 1970.
    func rest(now: UInt64) -> UInt64 {
        let waited = now - min(now, since)
        return ClientLimits.parcelMs - min(ClientLimits.parcelMs, waited)
    }
}
