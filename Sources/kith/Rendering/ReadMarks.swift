import KithClient

/// The members who have read the user's messages, and the marks that say so at the ends of the messages.
struct ReadMarks: Sendable, Equatable {
    /// A line that says that a message was read, for a terminal on which the message's mark can't be changed.
    struct Notice: Sendable, Equatable {
        /// The seq of the message that was read.
        let seq: UInt64
        let line: ScreenLine
    }

    /// For each member, the seq of the last message of the user that the member has read.
    private var readThrough: [ContactID: UInt64] = [:]
    /// Whether the marks count the readers.
    var counts: Bool

    init(memberCount: Int) { counts = memberCount > 2 }

    /// Notes the readers of a message. A member who has read a message counts as a reader of all earlier messages too.
    mutating func take(_ message: Message) {
        guard let seq = message.seq else { return }
        for reader in message.readers { readThrough[reader] = max(seq, readThrough[reader] ?? 0) }
    }

    /// Returns the mark of the user's message at a seq.
    func mark(of seq: UInt64) -> ScreenLine.Mark {
        let count = readThrough.values.count { $0 >= seq }
        return Self.mark(count == 0 ? .onRelay : .read(by: count), counts: counts)
    }

    /// Returns the mark of a message in a chat.
    ///
    /// - Parameter counts: whether the mark counts the readers, because the conversation has more than two members.
    static func mark(_ delivery: Delivery, counts: Bool) -> ScreenLine.Mark {
        switch delivery {
        case .queued: ScreenLine.Mark("…", .yellow)
        case .onRelay: ScreenLine.Mark("✓", .dim)
        case .read(let count): ScreenLine.Mark(counts ? "✓✓ \(count)" : "✓✓", .green)
        }
    }
}
