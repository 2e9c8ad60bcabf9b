import ArgumentParser
import Foundation
import KithClient
import KithWire
import Synchronization

/// How long a command waits for a relay.
struct Patience: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long to wait for the relay (30s, 5m, ...); 0 for as long as it takes.", valueName: "time"))
    var timeout = Lifetime(seconds: 30)

    /// So long what is asked for may take to be kept on this device, before it is given up.
    private static let untilKept = Duration.seconds(1)

    /// What remains where nothing does.
    static let runAgain = "Run the same command again later."

    /// Does what needs a relay; says on standard error what keeps it from being done.
    ///
    /// - Parameters:
    ///   - relay: the relay that it needs, if that is known; otherwise it may be any of the profile's.
    ///   - remains: what to tell the user about what was asked for when it is given up.
    /// - Throws: ``Failure`` with ``ExitCode/notInTime`` when the time is over, or at once with ``ExitCode/wrongKey`` when
    ///   the relay shows another key than it has: waiting does not help then. The profile is closed then.
    func wait<R>(
        for kith: Kith, at relay: RelayAddress? = nil, remains: String, _ work: () async throws -> R
    ) async throws -> R {
        let trouble = Trouble()
        let events = await kith.events()
        let watcher = Task {
            for await event in events {
                let news = trouble.note(event)
                guard case .relay(_, .refused(.pinMismatch)) = event, await trouble.isFinal(for: kith, at: relay),
                    (try? await Task.sleep(for: Self.untilKept)) != nil,
                    // Another may be known at the same address by now.
                    await trouble.isFinal(for: kith, at: relay), let mismatch = trouble.reason
                else {
                    if Task.isCancelled { return }
                    if let news { StandardStream.error.write("[\(SafeText.oneLine(news))]\n") }
                    continue
                }
                trouble.failure = Failure(message: "not done: \(mismatch). \(remains)", code: .wrongKey)
                await kith.close()
            }
        }
        let timer =
            timeout.seconds == 0
            ? nil
            : Task {
                try await Task.sleep(for: timeout.duration)
                let reason = trouble.reason.map { ": \($0)" } ?? ""
                trouble.failure = Failure(
                    message: "not done within \(timeout)\(reason). \(remains)", code: .notInTime)
                await kith.close()
            }
        defer {
            watcher.cancel()
            timer?.cancel()
        }
        do {
            return try await work()
        } catch KithError.closed {
            throw trouble.failure ?? KithError.closed
        }
    }
}

/// What keeps relays from being reached, told once each time it changes.
private final class Trouble: Sendable {
    private struct State {
        var reasons: [RelayAddress: String] = [:]
        /// The keys that relays should have where somebody answers with another, by address.
        var missed: [RelayAddress: Set<RelayPin>] = [:]
        var failure: Failure?
    }

    private let state = Mutex(State())

    /// Why it was given up, if it was.
    var failure: Failure? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }

    var reason: String? { state.withLock { $0.reasons.values.sorted().first } }

    /// Returns what there is to tell.
    func note(_ event: KithEvent) -> String? {
        if case .clock(let difference) = event { return difference.sentence.description }
        guard case .relay(let address, let relayState) = event else { return nil }
        let reason: String?
        let ending: String
        switch relayState {
        case .connecting: return nil
        case .connected: (reason, ending) = (nil, "connected")
        case .waiting(let why, _): (reason, ending) = ("\(address): \(why)", "trying again")
        case .refused(let why): (reason, ending) = ("\(address): \(why)", "trying again now and then")
        }
        let before = state.withLock { state in
            defer { state.reasons[address] = reason }
            if case .refused(.pinMismatch(let expected, _)) = relayState {
                state.missed[address, default: []].insert(expected)
            } else if reason == nil {
                state.missed[address] = nil
            }
            return state.reasons[address]
        }
        return before == reason ? nil : "\(reason ?? "\(address)"); \(ending)"
    }

    /// Whether none of the relays that are needed has its own key: those at an address, or all of a profile's.
    func isFinal(for kith: Kith, at address: RelayAddress?) async -> Bool {
        let needed = await kith.relays().map(\.relay).filter { address == nil || $0.address == address }
        return state.withLock { state in
            !needed.isEmpty && needed.allSatisfy { state.missed[$0.address]?.contains($0.pin) == true }
        }
    }
}
