import Synchronization

/// Counts the bytes of relays' messages that are not processed yet. While the count is at ``ClientLimits/unreadBytes`` or above,
/// the connections that share the count do not read.
final class UnreadBytes: Sendable {
    private struct State {
        var count = 0
        /// Functions that make stopped connections read again, at most one for each connection.
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

    /// Notes that messages were processed. Stopped connections read again as soon as half of the room is free.
    func remove(_ count: Int) {
        let resumptions = state.withLock { state in
            state.count -= count
            return state.takeResumptions()
        }
        for resume in resumptions { resume() }
    }

    /// Returns whether a connection may read now. If it may not, `resume` is called later, when the connection may read.
    func hasRoom(orCall resume: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard state.count >= ClientLimits.unreadBytes else { return true }
            state.resumptions.append(resume)
            return false
        }
    }
}
