import KithWire

/// The condition of the store, according to the last commit and the last check of the store's size.
struct StoreHealth {
    private(set) var level = FillLevel.roomy
    /// The failure of the last commit; `nil` if no mutation failed, or if mutations failed only because some channels are
    /// damaged.
    private var lastFailure: StoreFailure?

    /// Notes the outcomes of a commit. Returns whether any mutation failed.
    ///
    /// If a commit contains both successful mutations and mutations that failed because of damage, the damage concerns only some
    /// channels, and the store as a whole counts as healthy.
    mutating func note(_ outcomes: [StoreOutcome]) -> Bool {
        let failures = outcomes.compactMap { outcome in
            if case .failed(let failure) = outcome { failure } else { nil }
        }
        lastFailure = outcomes.contains(.committed) ? failures.first { !$0.isDamage } : failures.first
        return !failures.isEmpty
    }

    /// Notes the number of bytes in use. The store may use up to `limit` bytes.
    mutating func note(usedBytes: UInt64, of limit: UInt64) { level = FillLevel(usedBytes: usedBytes, of: limit) }

    /// The reason why the relay cannot serve every request, in a few words; `nil` if the relay can serve every request.
    var obstacle: String? {
        if level == .full { return "the store is full" }
        return switch lastFailure {
        case .full: "the disk is full"
        case .io: "the store cannot write"
        case .damaged: "the store is damaged"
        case nil: nil
        }
    }

    /// The refusal of an entry because the store is nearly full; `nil` if the entry is accepted.
    func refusal(ofEntryIn head: ChannelHead, nowMs: UInt64) -> RelayError? {
        // A letter counts as new even in an old inbox, because its sender gets an error and tries again.
        let isRecent = head.kind == .inbox || nowMs < head.createdMs + RelayLimits.recentChannelMs
        return level == .full || level == .noRecent && isRecent ? .storeIsFull : nil
    }
}

extension StoreFailure {
    /// Whether the failure means that stored data is damaged.
    var isDamage: Bool { if case .damaged = self { true } else { false } }
}
