import Synchronization

/// Counts the bytes of relays' messages that are not processed yet. Several connections may share one count. While a count is at
/// ``ClientLimits/unreadBytes`` or above, the connections that share the count do not read.
final class UnreadBytes: Sendable {
    private struct State {
        var count = 0
        /// Functions that make stopped connections read again. Each connection has at most one function here.
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

    /// Notes that messages with `count` bytes were processed. If the total is then at most half of the limit, stopped
    /// connections read again.
    func remove(_ count: Int) {
        let resumptions = state.withLock { state in
            state.count -= count
            return state.takeResumptions()
        }
        for resume in resumptions { resume() }
    }

    /// Returns whether a connection may read now. If the result is `false`, `resume` is called as soon as the connection may
    /// read.
    func hasRoom(orCall resume: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard state.count >= ClientLimits.unreadBytes else { return true }
            state.resumptions.append(resume)
            return false
        }
    }
}
