import KithClient

/// Texts that this process has stored for another process. The other process has opened the profile and sends the texts.
struct QueuedSends {
    /// The messages in their latest known state.
    private(set) var messages: [Message]

    /// Interval between two polls. The other process does not signal its progress, so this process polls.
    private static let pollInterval = Duration.milliseconds(100)
    /// Number of polls after which this process checks whether the other process still runs.
    private static let pollsUntilOwnerCheck = 5

    init(_ messages: [Message]) { self.messages = messages }

    private enum Outcome { case done, timeIsOver, ownerIsGone }

    /// Returns when the relay has all messages. If the other process ends before the relay has all messages, this process sends
    /// the messages.
    ///
    /// - Parameters:
    ///   - profile: the profile, opened for reading. The function closes the profile before it returns.
    ///   - options: the options with which the profile is opened again.
    ///   - time: maximum time to wait; 0 for no limit.
    /// - Throws: ``Failure`` if a message can no longer be sent, or if the time is over.
    mutating func wait(with profile: Profile, of options: ProfileOptions, for time: DurationArgument) async throws {
        // The open profile is used for the first poll, because opening it again would ask for the passphrase again.
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
            case .ownerIsGone: isMine = true
            case .timeIsOver:
                throw Failure(
                    message:
                        "not done within \(time). The message is kept, and sent when the profile's process reaches the relay "
                        + "or the profile is open again",
                    code: .notInTime)
            }
        }
    }

    /// Polls until all messages are sent, the time is over, or the process that had the profile open has ended. Then closes the
    /// profile.
    ///
    /// - Parameter options: the options for a check whether another process still has the profile open; `nil` if this process has
    ///   opened the profile.
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
                                "not sent, and not kept: the conversation accepts no messages now (kith list), or its relay "
                                + "accepts none of that length")
                    }
                }
                if messages.allSatisfy({ $0.seq != nil }) { return .done }
                if let end, ContinuousClock.now > end { return .timeIsOver }
                polls += 1
                // This check is needed even for texts that the other process has already taken, because that process may have
                // ended before the relay had the texts.
                if let options, polls % Self.pollsUntilOwnerCheck == 0,
                    try Profile.holder(of: options.folder) == nil
                {
                    return .ownerIsGone
                }
                try await Task.sleep(for: Self.pollInterval)
            }
        }
    }
}
