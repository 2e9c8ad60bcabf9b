import KithClient

/// Texts that were handed over to the process that has the profile.
struct QueuedSends {
    /// The messages, as far as they have come.
    private(set) var messages: [Message]

    /// How often to look: there is nobody who would say.
    private static let pollInterval = Duration.milliseconds(100)
    /// After how many looks in vain to see whether the other process is still there.
    private static let pollsUntilOwnerCheck = 5

    init(_ messages: [Message]) { self.messages = messages }

    private enum Outcome { case done, timeIsOver, nobodyDoesIt }

    /// Returns when the relay has them all. If nobody has the profile any more, this process sends them.
    ///
    /// - Parameter kith: the profile, opened for reading. It is closed here.
    /// - Throws: ``Failure`` if one can't be said any more, or if it takes too long.
    mutating func wait(with profile: Profile, of options: ProfileOptions, for time: DurationArgument) async throws {
        // Kept for the first look: opening it again would ask for the passphrase again.
        var opened: Profile? = profile
        let end = time.seconds == 0 ? nil : ContinuousClock.now + time.duration
        var isMine = false
        while true {
            let outcome: Outcome
            if isMine {
                do {
                    let profile = try await options.open()
                    outcome = try await poll(profile, until: end, in: nil)
                } catch KithError.inUse {
                    isMine = false
                    continue
                }
            } else {
                let profile = if let opened { opened } else { try await options.openForReading() }
                opened = nil
                outcome = try await poll(profile, until: end, in: options)
            }
            switch outcome {
            case .done: return
            case .nobodyDoesIt: isMine = true
            case .timeIsOver:
                throw Failure(
                    message:
                        "not done within \(time). It is kept, and goes out when the profile's process reaches the relay "
                        + "or the profile is open next",
                    code: .notInTime)
            }
        }
    }

    /// Looks until they are all said, and closes the profile.
    ///
    /// - Parameter profile: where to see whether another process has it; `nil` if it is this one.
    private mutating func poll(
        _ profile: Profile, until end: ContinuousClock.Instant?, in options: ProfileOptions?
    ) async throws -> Outcome {
        var messages = messages
        defer { self.messages = messages }
        return try await ProfileOptions.closing(profile) { profile in
            var polls = 0
            while true {
                for index in messages.indices where messages[index].seq == nil {
                    switch try await profile.progress(of: messages[index]) {
                    case .waiting: continue
                    case .message(let now): messages[index] = now
                    case .refused:
                        throw Failure(
                            message:
                                "not sent, and not kept: the conversation does not take it now (kith list), or its relay "
                                + "takes no message of that length")
                    }
                }
                if messages.allSatisfy({ $0.seq != nil }) { return .done }
                if let end, ContinuousClock.now > end { return .timeIsOver }
                polls += 1
                // Also one that was taken: the process may have ended before the relay had it.
                if let options, polls % Self.pollsUntilOwnerCheck == 0,
                    try Profile.holder(of: options.folder) == nil
                {
                    return .nobodyDoesIt
                }
                try await Task.sleep(for: Self.pollInterval)
            }
        }
    }
}
