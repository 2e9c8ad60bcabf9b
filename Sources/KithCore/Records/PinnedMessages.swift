import TLSCodec

/// The pinned messages of a conversation. A message that has expired may still be among the pinned messages.
struct PinnedMessages: Hashable, Sendable, TLSCodable {
    /// The seqs of the messages, in the order of the pins.
    private(set) var seqs: [UInt64] = []

    init() {}

    /// Adds a message at the end.
    ///
    /// - Returns: the seq of the message that is no longer pinned, because there are too many; `nil` if there is none.
    mutating func add(_ seq: UInt64) -> UInt64? {
        seqs.append(seq)
        return seqs.count > ClientLimits.pins ? seqs.removeFirst() : nil
    }

    mutating func remove(_ seq: UInt64) { seqs.removeAll { $0 == seq } }

    init(from reader: inout TLSReader) throws(TLSCodecError) { seqs = try reader.readVector() }

    func encode(into writer: inout TLSWriter) { writer.writeVector(seqs) }
}
