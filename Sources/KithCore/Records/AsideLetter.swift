import KithWire
import TLSCodec

/// A letter that stays at the relay until this device can process it. It does not block other letters.
struct AsideLetter: Sendable, TLSCodable {
    /// The reason to leave a letter at the relay.
    enum Reason: Sendable {
        /// It is a stranger's, and the limit of pending conversations is reached.
        case room
        /// It invites to a conversation whose log must be read further first.
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

/// The wait of a Welcome to a conversation in which, by the log read so far, this device still is. The device may have been
/// removed and added again while it was offline, and the log from one relay may arrive later than the inbox from another.
struct LogWait: Sendable, TLSCodable {
    let conversation: ConversationID
    /// The epoch of the Welcome.
    let epoch: UInt64
    /// The start of the wait by the clock of the inbox's relay, in milliseconds since 1970.
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

    /// The rest of the wait, in milliseconds. The wait ends after ``ClientLimits/parcelMs``, a day.
    ///
    /// - Parameter now: the clock of the inbox's relay.
    func rest(now: UInt64) -> UInt64 {
        let waited = now - min(now, since)
        return ClientLimits.parcelMs - min(ClientLimits.parcelMs, waited)
    }
}
