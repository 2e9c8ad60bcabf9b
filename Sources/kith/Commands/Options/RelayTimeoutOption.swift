import ArgumentParser
import Foundation
import KithClient
import KithWire

/// The option that limits the wait for a relay.
struct RelayTimeoutOption: ParsableArguments {
    @Option(
        name: .customLong("timeout"),
        help: ArgumentHelp(
            "Maximum wait for the relay (30s, 5m, ...); 0 for no limit.", valueName: "time"),
        transform: DurationArgument.read)
    var limit = DurationArgument(seconds: 30)

    /// Time between a relay's refusal and the end of the command. In this time, the device can still store the command.
    private static let untilKept = Duration.seconds(1)

    /// Hint for commands that have stored nothing.
    static let runAgain = "Run the same command again later."

    /// Runs `work`, which needs a relay, and prints problems on standard error.
    ///
    /// - Parameters:
    ///   - relay: the relay that `work` needs; `nil` if any relay of the profile is enough.
    ///   - key: the key of that relay. Problems at another relay with the same address are not reported.
    ///   - hint: text printed with the failure. The text says what happens to the command, or what the user can do.
    /// - Throws: ``Failure`` with ``ExitCode/notInTime`` or ``ExitCode/noRoom`` when the time is over. If the relay has another
    ///   key (``ExitCode/wrongKey``) or requires another pass, the failure comes one second after the refusal, because no
    ///   attempt can succeed. The function closes the profile before it throws a ``Failure``.
    func wait<R>(
        for profile: Profile, at relay: RelayAddress? = nil, key: RelayPin? = nil, hint: String,
        _ work: () async throws -> R
    ) async throws -> R {
        try await wait(Wait(profile: profile, relay: relay, key: key, hint: hint), work)
    }

    /// Runs `work`, which needs a conversation's relay. The time limit begins again after each progress.
    ///
    /// - Parameter count: returns a number that grows while the work makes progress.
    /// - Throws: the errors of ``wait(for:at:key:hint:_:)``.
    func wait<R>(
        for profile: Profile, in conversation: ConversationSummary, hint: String,
        counting count: @escaping @Sendable () async -> UInt64, _ work: () async throws -> R
    ) async throws -> R {
        try await wait(
            Wait(
                profile: profile, relay: conversation.relay, key: conversation.relayPin, hint: hint, count: count), work
        )
    }

    private struct Wait {
        let profile: Profile
        let relay: RelayAddress?
        let key: RelayPin?
        let hint: String
        var count: (@Sendable () async -> UInt64)?
    }

    private func wait<R>(_ wait: Wait, _ work: () async throws -> R) async throws -> R {
        let (profile, relay, key, hint, count) = (wait.profile, wait.relay, wait.key, wait.hint, wait.count)
        let problems = ConnectionProblems(at: relay, key: key)
        let events = await profile.events()
        let watcher = Task {
            for await event in events {
                let news = problems.note(event)
                guard case .relay(_, .refused) = event, await problems.refusal(of: profile) != nil,
                    (try? await Task.sleep(for: Self.untilKept)) != nil,
                    // By now, the profile may know another relay at the same address.
                    let refusal = await problems.refusal(of: profile), let reason = problems.reason
                else {
                    if Task.isCancelled { return }
                    if let news { StandardStream.error.write("[\(SafeText.oneLine(news))]\n") }
                    continue
                }
                problems.failure = Failure(
                    message: "not done: \(reason). \(hint)", code: KithError.relay(refusal).exitCode)
                await profile.close()
            }
        }
        let timer =
            limit.seconds == 0
            ? nil
            : Task {
                var before = await count?()
                while true {
                    try await Task.sleep(for: limit.duration)
                    let now = await count?()
                    if now == before { break }
                    before = now
                }
                let reason = problems.reason.map { ": \($0)" } ?? ""
                problems.failure = Failure(
                    message: "not done within \(limit)\(reason). \(hint)",
                    code: problems.isForRoom ? .noRoom : .notInTime)
                await profile.close()
            }
        defer {
            watcher.cancel()
            timer?.cancel()
        }
        do {
            return try await work()
        } catch KithError.closed {
            throw problems.failure ?? KithError.closed
        }
    }
}
