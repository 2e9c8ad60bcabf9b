import ArgumentParser
import Foundation
import KithClient
import KithWire

/// How long a command waits for a relay.
struct RelayTimeoutOption: ParsableArguments {
    @Option(
        name: .customLong("timeout"),
        help: ArgumentHelp(
            "How long to wait for the relay (30s, 5m, ...); 0 for as long as it takes.", valueName: "time"),
        transform: DurationArgument.read)
    var limit = DurationArgument(seconds: 30)

    /// So long what is asked for may take to be kept on this device, before it is given up.
    private static let untilKept = Duration.seconds(1)

    /// What remains where nothing does.
    static let runAgain = "Run the same command again later."

    /// Does what needs a relay; says on standard error what keeps it from being done.
    ///
    /// - Parameters:
    ///   - relay: the relay that it needs, if that is known; otherwise it may be any of the profile's.
    ///   - hint: what to tell the user about what was asked for when it is given up.
    /// - Throws: ``Failure`` when the time is over, with ``ExitCode/notInTime`` or ``ExitCode/noRoom``; or at once when the
    ///   relay shows another key than it has (``ExitCode/wrongKey``) or wants another pass: waiting does not help then. The
    ///   profile is closed then.
    func wait<R>(
        for profile: Profile, at relay: RelayAddress? = nil, hint: String, _ work: () async throws -> R
    ) async throws -> R {
        let problems = ConnectionProblems()
        let events = await profile.events()
        let watcher = Task {
            for await event in events {
                let news = problems.note(event)
                guard case .relay(_, .refused) = event, await problems.refusal(of: profile, at: relay) != nil,
                    (try? await Task.sleep(for: Self.untilKept)) != nil,
                    // Another may be known at the same address by now.
                    let refusal = await problems.refusal(of: profile, at: relay), let reason = problems.reason
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
                try await Task.sleep(for: limit.duration)
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
