import KithClient
import KithWire
import Synchronization

/// The events of a follow so far, with one entry per event.
final class FollowRecorder: Sendable {
    private let state = Mutex<(events: [FollowEvent], error: RelayError.Code?)>(([], nil))
    var events: [FollowEvent] { state.withLock { $0.events } }
    var error: RelayError.Code? { state.withLock { $0.error } }

    init(_ follow: RelayFollow) {
        Task {
            do {
                for try await event in follow {
                    state.withLock { state in
                        if case .entries(let entries) = event {
                            state.events += entries.map { .entries([$0]) }
                        } else {
                            state.events.append(event)
                        }
                    }
                }
            } catch RelayConnectionError.refused(let error) {
                state.withLock { $0.error = error.code }
            }
        }
    }
}
