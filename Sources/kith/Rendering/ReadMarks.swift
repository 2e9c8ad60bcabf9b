import KithClient

/// The members who have read the user's messages, and the marks that say so at the ends of the messages.
struct ReadMarks: Sendable, Equatable {
    /// A line that says that a message was read, for a terminal on which the message's mark can't be changed.
    struct Notice: Sendable, Equatable {
        /// The seq of the message that was read.
        let seq: UInt64
        let line: ScreenLine
    }

    private struct Reader: Equatable {
        /// The entry that added the member; 0 if the member was there before.
        var joinedAt: UInt64 = 0
        /// The last of the user's messages that the member has read.
        var through: UInt64 = 0
    }

    private var readers: [ContactID: Reader] = [:]
    /// Whether the marks count the readers.
    var counts: Bool

    init(memberCount: Int) { counts = memberCount > 2 }

    /// Notes the readers of a message. A member who has read a message counts as a reader of all earlier messages too, back to
    /// the entry that added the member.
    mutating func take(_ message: Message) {
        guard let seq = message.seq else { return }
        for contact in message.readers where seq >= readers[contact]?.through ?? 0 {
            readers[contact] = Reader(joinedAt: message.readersJoinedAt[contact] ?? 0, through: seq)
        }
    }

    /// Returns the mark of the user's message at a seq.
    func mark(of seq: UInt64) -> ScreenLine.Mark {
        let count = readers.values.count { $0.joinedAt < seq && seq <= $0.through }
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
