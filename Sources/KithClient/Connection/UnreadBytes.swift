import Synchronization

/// The bytes of relays' messages that wait to be taken. While they reach ``ClientLimits/unreadBytes``, the connections that
/// bring them do not read.
final class UnreadBytes: Sendable {
    private struct State {
        var count = 0
        /// Calls for the connections that stopped reading. Each connection has one at most.
        var resumptions: [@Sendable () -> Void] = []

        mutating func takeResumptions() -> [@Sendable () -> Void] {
            guard count <= ClientLimits.unreadBytes / 2 else { return [] }
            defer { resumptions = [] }
            return resumptions
        }
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    func add(_ count: Int) { state.withLock { $0.count += count } }

    /// Takes note that messages were taken. Connections that stopped reading go on once half of the room is free.
    func remove(_ count: Int) {
        let resumptions = state.withLock { state in
            state.count -= count
            return state.takeResumptions()
        }
        for resume in resumptions { resume() }
    }

    /// Whether a connection may read. If not, `resume` is called once it may.
    func hasRoom(orCall resume: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard state.count >= ClientLimits.unreadBytes else { return true }
            state.resumptions.append(resume)
            return false
        }
    }
}
