import KithClient
import KithWire
import Synchronization

/// Collects the problems at relays. The problem of a relay is reported when it begins, when its reason changes, and when it
/// ends.
final class ConnectionProblems: Sendable {
    private struct State {
        var reasons: [KnownRelay: String] = [:]
        /// The refusals that a further attempt would not change.
        var refusals: [KnownRelay: RelayConnectionError] = [:]
        var full: Set<KnownRelay> = []
        /// Relays that have not answered.
        var connecting: Set<KnownRelay> = []
        /// The reason why an invitation is not in the recipient's inbox.
        var invitation: String?
        var failure: Failure?
    }

    private let state = Mutex(State())
    private let address: RelayAddress?
    private let key: RelayPin?

    /// - Parameters:
    ///   - address: the address of the relay that the command needs; `nil` if any relay of the profile is enough.
    ///   - key: the key of that relay; `nil` if any relay at the address counts.
    init(at address: RelayAddress? = nil, key: RelayPin? = nil) {
        (self.address, self.key) = (address, key)
    }

    /// The failure that ends the command; `nil` while none is known.
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

    /// Whether there are problems, and each of them is a relay's lack of disk space.
    var isForRoom: Bool { state.withLock { !$0.full.isEmpty && $0.full.count == $0.reasons.count } }

    /// Processes an event. Returns a line for the user; `nil` if there is nothing to report.
    func note(_ event: KithEvent) -> String? {
        if case .clock(let difference) = event { return difference.sentence.description }
        if case .warning(_, .invitationWaits(let name, let obstacle), _) = event {
            let reason = obstacle.sentence(name).description
            state.withLock { $0.invitation = reason }
            return "\(reason); trying again"
        }
        guard case .relay(let relay, let relayState) = event else { return nil }
        // This is an earlier relay at the same address, with another key. The command does not need it.
        if let key, relay.address == address, relay.pin != key { return nil }
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

    /// Returns a refusal if all relays that the command could use refuse for good. Returns `nil` while one of them might still
    /// accept.
    func refusal(of profile: Profile) async -> RelayConnectionError? {
        let needed = await profile.relays().map(\.relay).filter {
            address == nil || $0.address == address && $0.pin == key ?? $0.pin
        }
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
