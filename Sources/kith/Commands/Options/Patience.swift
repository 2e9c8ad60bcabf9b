import ArgumentParser
import Foundation
import KithClient
import Synchronization

/// How long a command waits for a relay.
struct Patience: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long to wait for the relay (30s, 5m, ...); 0 for as long as it takes.", valueName: "time"))
    var timeout = Lifetime(seconds: 30)

    /// Does what needs a relay; says on standard error what keeps it from being done.
    ///
    /// - Parameter remains: what to tell the user about what was asked for when the time is over.
    /// - Throws: ``Failure`` with ``ExitCode/notInTime`` when the time is over. The profile is closed then.
    func wait<R>(for kith: Kith, remains: String, _ work: () async throws -> R) async throws -> R {
        let trouble = Trouble()
        let events = await kith.events()
        let watcher = Task { for await event in events { trouble.note(event) } }
        let timer =
            timeout.seconds == 0
            ? nil
            : Task {
                try await Task.sleep(for: timeout.duration)
                trouble.isTimeOver = true
                await kith.close()
            }
        defer {
            watcher.cancel()
            timer?.cancel()
        }
        do {
            return try await work()
        } catch {
            guard trouble.isTimeOver else { throw error }
            let reason = trouble.reason.map { ": \($0)" } ?? ""
            throw Failure(message: "not done within \(timeout)\(reason). \(remains)", code: .notInTime)
        }
    }
}

/// What keeps relays from being reached, told once each time it changes.
private final class Trouble: Sendable {
    private struct State {
        var reasons: [RelayAddress: String] = [:]
        var isTimeOver = false
    }

    private let state = Mutex(State())

    var isTimeOver: Bool {
        get { state.withLock { $0.isTimeOver } }
        set { state.withLock { $0.isTimeOver = newValue } }
    }

    var reason: String? { state.withLock { $0.reasons.values.sorted().first } }

    func note(_ event: KithEvent) {
        guard case .relay(let address, let relayState) = event else { return }
        let reason: String?
        let ending: String
        switch relayState {
        case .connecting: return
        case .connected: (reason, ending) = (nil, "connected")
        case .waiting(let why, _): (reason, ending) = ("\(address): \(why)", "trying again")
        case .refused(let why): (reason, ending) = ("\(address): \(why)", "trying again now and then")
        }
        let before = state.withLock { state in
            defer { state.reasons[address] = reason }
            return state.reasons[address]
        }
        guard before != reason else { return }
        StandardStream.error.write("[\(SafeText.oneLine("\(reason ?? "\(address)"); \(ending)"))]\n")
    }
}
