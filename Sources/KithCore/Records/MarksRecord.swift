import TLSCodec

/// The marks that members have put on one message since it was sent: reactions, a pin, and the texts that edits have replaced.
///
/// The marks are stored apart from the message, so that a reaction does not write a long text again.
struct MarksRecord: Hashable, Sendable {
    /// The reactions, in the order of the log.
    private(set) var reactions: [Reaction] = []
    /// Whether the message is pinned.
    private(set) var isPinned = false
    /// The number of edits.
    private(set) var editCount: UInt32 = 0
    /// The most recently replaced texts, in the order of their replacement. ``ClientLimits/earlierTexts`` limits their size.
    private(set) var earlierTexts: [EarlierText] = []

    struct Reaction: Hashable, Sendable {
        let account: AccountKey
        let text: String
    }

    /// A text that an edit has replaced.
    struct EarlierText: Hashable, Sendable {
        /// The seq of the edit.
        let replacedAt: UInt64
        let text: MessageText
    }

    /// Whether the message has no marks, so that none have to be stored.
    var isEmpty: Bool { reactions.isEmpty && !isPinned && editCount == 0 }

    // MARK: Changes

    /// Sets or removes an account's reaction.
    ///
    /// - Returns: whether the reactions have changed.
    mutating func react(_ text: String?, by account: AccountKey) -> Bool {
        let index = reactions.firstIndex { $0.account == account }
        switch (index, text) {
        case (nil, nil): return false
        case (let index?, nil): reactions.remove(at: index)
        case (let index?, let text?):
            guard reactions[index].text != text else { return false }
            reactions[index] = Reaction(account: account, text: text)
        case (nil, let text?):
            guard reactions.count < ClientLimits.reactions else { return false }
            reactions.append(Reaction(account: account, text: text))
        }
        return true
    }

    /// - Returns: whether the pin has changed.
    mutating func pin(_ isPinned: Bool) -> Bool {
        defer { self.isPinned = isPinned }
        return self.isPinned != isPinned
    }

    /// Keeps the text that the edit at a seq has replaced.
    mutating func replace(_ text: MessageText, at seq: UInt64) {
        editCount = editCount == .max ? .max : editCount + 1
        earlierTexts.append(EarlierText(replacedAt: seq, text: text))
        var size = earlierTexts.reduce(0) { $0 + $1.encoded.count }
        while size > ClientLimits.earlierTexts || earlierTexts.count > ClientLimits.earlierTextCount {
            size -= earlierTexts.removeFirst().encoded.count
        }
    }

    // MARK: Storing

    private static let version: UInt8 = 1

    init() {}

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "MarksRecord.version", value: UInt64(version)) }
        reactions = try reader.readVector()
        isPinned = try reader.readPresence()
        editCount = try reader.readUInt32()
        earlierTexts = try reader.readVector()
        try reader.expectEnd()
    }

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 128)
        writer.write(Self.version)
        writer.writeVector(reactions)
        writer.write(isPinned)
        writer.write(editCount)
        writer.writeVector(earlierTexts)
        return writer.bytes
    }
}

extension MarksRecord.Reaction: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        account = try reader.read()
        text = try reader.readText(limit: ClientLimits.reaction)
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(account)
        writer.writeText(text)
    }
}

extension MarksRecord.EarlierText: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        replacedAt = try reader.readUInt64()
        text = try reader.read()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(replacedAt)
        writer.write(text)
    }
}
