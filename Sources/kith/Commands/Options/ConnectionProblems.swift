import KithClient
import KithWire
import Synchronization

/// Collects the problems at relays. Each is told once, and again when it changes.
final class ConnectionProblems: Sendable {
    private struct State {
        var reasons: [KnownRelay: String] = [:]
        /// The refusals that a retry does not change.
        var refusals: [KnownRelay: RelayConnectionError] = [:]
        var full: Set<KnownRelay> = []
        /// Relays that have not answered yet.
        var connecting: Set<KnownRelay> = []
        /// The reason why an invitation is not in its inbox.
        var invitation: String?
        var failure: Failure?
    }

    private let state = Mutex(State())

    /// The failure that ends the command, once it is known.
    var failure: Failure? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }

    var reason: String? {
        state.withLock { state in
            state.reasons.values.sorted().first
                ?? state.invitation ?? state.connecting.map { "\($0.address): no answer yet" }.sorted().first
        }
    }

    /// Whether the relays lack nothing but disk space.
    var isForRoom: Bool { state.withLock { !$0.full.isEmpty && $0.full.count == $0.reasons.count } }

    /// Takes an event; returns a line to tell the user, if there is one.
    func note(_ event: KithEvent) -> String? {
        if case .clock(let difference) = event { return difference.sentence.description }
        if case .warning(_, .invitationWaits(let name, let obstacle), _) = event {
            let reason = obstacle.sentence(name).description
            state.withLock { $0.invitation = reason }
            return "\(reason); trying again"
        }
        guard case .relay(let relay, let relayState) = event else { return nil }
        let reason: String?
        let ending: String
        switch relayState {
        case .connecting:
            state.withLock { _ = $0.connecting.insert(relay) }
            return nil
        case .connected: (reason, ending) = (nil, "connected")
        case .full: (reason, ending) = ("\(relay.address): \(relayState.fullSentence)", "trying again")
        case .waiting(let pause): (reason, ending) = ("\(relay.address): \(pause.reason)", "trying again")
        case .refused(let why): (reason, ending) = ("\(relay.sentence): \(why.withRemedy)", "trying again")
        }
        let before = state.withLock { state in
            defer { state.reasons[relay] = reason }
            state.connecting.remove(relay)
            if case .refused(let error) = relayState { state.refusals[relay] = error }
            if reason == nil { state.refusals[relay] = nil }
            if relayState == .full { state.full.insert(relay) } else { state.full.remove(relay) }
            return state.reasons[relay]
        }
        return before == reason ? nil : "\(reason ?? "\(relay.address)"); \(ending)"
    }

    /// Returns the refusal of all relays that the command needs: those at an address, or all of the profile's. `nil`
    /// while one may still answer.
    func refusal(of profile: Profile, at address: RelayAddress?) async -> RelayConnectionError? {
        let needed = await profile.relays().map(\.relay).filter { address == nil || $0.address == address }
        return state.withLock { state in
            let refusals = needed.map { relay in
                state.refusals[KnownRelay(address: relay.address, pin: relay.pin)].flatMap {
                    $0.isFinal(for: relay) ? $0 : nil
                }
            }
            return refusals.contains(nil) ? nil : refusals.first.flatMap { $0 }
        }
    }
}

extension RelayConnectionError {
    /// Whether only the user can resolve the refusal: another key answers at the relay's address, or the relay requires
    /// another pass.
    func isFinal(for relay: RelayPoint) -> Bool {
        switch self {
        case .pinMismatch(let expected, _): expected == relay.pin
        case .turnedAway(let error): error.code == .passRequired
        default: false
        }
    }
}
