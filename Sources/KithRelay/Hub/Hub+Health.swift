/// The relay's health: whether it can serve, and the damage that it has found.
extension Hub {
    /// Notes whether the store could do what it was asked.
    ///
    /// Damage is one channel's if anything else was committed beside it: then it says nothing of the store.
    func note(_ outcomes: [StoreOutcome]) {
        let failures = outcomes.compactMap { outcome in
            if case .failed(let failure) = outcome { failure } else { nil }
        }
        if !failures.isEmpty { metrics.commitFailures.count() }
        lastFailure = outcomes.contains(.committed) ? failures.first { !$0.isDamage } : failures.first
    }

    /// Why the relay cannot serve everything now, in a few words; `nil` if it can.
    func unreadiness() -> String? {
        if isShuttingDown { return "shutting down" }
        if level == .full { return "the store is full" }
        switch lastFailure {
        case .full: return "the disk is full"
        case .io: return "the store cannot write"
        case .damaged: return "the store is damaged"
        case nil: return nil
        }
    }

    /// How often something damaged was found, since the start.
    func damages() async -> UInt64 {
        let stored = (try? await store.statistics())?.damages ?? 0
        return stored + UInt64(metrics.damagedReads.load(ordering: .relaxed))
    }
}

extension StoreFailure {
    /// Whether what is stored was found damaged.
    var isDamage: Bool { if case .damaged = self { true } else { false } }
}
