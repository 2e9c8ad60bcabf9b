import TLSCodec

extension ConversationRecord {
    /// Whether a renewal of keys or a commit of proposals is pending. A device also makes these changes by itself; see
    /// ``CommitPolicy``.
    var isChanging: Bool { intents.contains { $0.change == .renew || $0.change == .commitProposals } }

    /// The seq of the last entry that was processed; 0 if there is none.
    var lastSeq: UInt64 { view?.seq ?? 0 }

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        writer.write(Self.version)
        writer.write(channel)
        writer.write(relay.rawValue)
        writer.writeText(title)
        writer.writeOptional(contact?.rawValue)
        writer.write(isDirect)
        writer.write(status)
        writer.write(isCreated)
        writer.write(epoch)
        writer.writeOptional(view)
        writer.writeOptional(epochBegin)
        writer.write(UInt32(memberCount))
        writer.writeOptional(missedFrom)
        writer.write(readSeq)
        writer.write(UInt32(clamping: unread))
        writer.write(lastActivityMs)
        writer.write(receiptSeq)
        writer.write(readBy)
        writer.write(renewedAt)
        writer.write(UInt32(clamping: entriesSinceRenewal))
        writer.write(isSuspect)
        writer.write(cardIsSent)
        intents.encode(into: &writer)
        writer.write(nextOutboxItem)
        writer.write(consent.rawValue)
        writer.write(hasAnswer)
        writer.write(hasProposals)
        writer.writeOptional(invitedView)
        writer.write(agreedThrough)
        writer.write(agreedBeforeTurn)
        writer.writeOptional(trustedEpoch)
        writer.writeOptional(timer)
        writer.write(pins)
        writer.write(listing)
        writer.writeOptional(request)
        return writer.bytes
    }

    /// Reads the two views of a record from before version 3, in which a view has no ``LogView/previous``. Both views get the
    /// hash at the start of the current epoch as `previous`, because all members of the epoch have that hash.
    static func readViewsBeforeVersion3(
        _ reader: inout TLSReader
    ) throws(TLSCodecError) -> (view: LogView?, begin: LogView?) {
        func read() throws(TLSCodecError) -> (seq: UInt64, hash: [UInt8])? {
            guard try reader.readPresence() else { return nil }
            return (try reader.readUInt64(), Array(try reader.readBytes(32)))
        }
        let (view, begin) = (try read(), try read())
        let previous = begin?.hash ?? LogView.noPrevious
        func complete(_ old: (seq: UInt64, hash: [UInt8])?) -> LogView? {
            old.map { LogView(seq: $0.seq, hash: $0.hash, previous: previous) }
        }
        return (complete(view), complete(begin))
    }
}
