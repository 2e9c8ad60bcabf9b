import TLSCodec

extension EntryRecord.Body {
    /// Decodes content that an earlier version did not know and kept; `nil` if this version can't decode it either. Texts and files
    /// are shown. Content that would have changed something has no effect any more, because the log has gone on since: the other
    /// members have already seen later changes on top of it.
    init?(kept kind: UInt16, _ bytes: [UInt8]) {
        var writer = TLSWriter(capacity: bytes.count + 8)
        writer.write(kind)
        writer.writeOpaque(bytes)
        guard let content = try? Content.Body(decoding: writer.bytes) else { return nil }
        switch content {
        case .text(let text): self = .text(text)
        case .files(let files): self = .files(files)
        case .change(let change, let target):
            self = .change(EntryRecord.ChangeNote(change, of: target.seq, isApplied: false))
        case .receipt, .contactCard, .title, .timer, .privateRequest: self = .notices([])
        case .unknown: return nil
        }
    }
}
