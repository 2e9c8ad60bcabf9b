import KithWire
import NIOCore
import Synchronization

/// The user of a ``RelayWire``: a state machine at this end of the connection. The wire calls all functions on its event loop, in
/// order. Any thread may use `unread`.
protocol RelayWireUser: AnyObject, Sendable {
    /// Counts the messages that are not processed yet. The wire reads only while the count is below the limit.
    var unread: UnreadBytes { get }
    /// The TLS and WebSocket handshakes are done.
    func didConnect(_ wire: RelayWire)
    func didReceive(_ message: [UInt8], on wire: RelayWire)
    /// The wire has stopped reading, or has started to read again.
    func didSetReading(_ isReading: Bool, of wire: RelayWire)
    /// The connection is over. No other function is called after this one.
    func didClose(_ wire: RelayWire, _ error: RelayConnectionError)
}

/// One connection to a relay at the level of bytes: TCP, TLS, WebSocket, and the frames that wait for the event loop.
final class RelayWire: Sendable {
    private struct State {
        /// Unwritten frames, the oldest first.
        var frames: [ClientFrame] = []
        var isScheduled = false
        var attempt: ConnectAttempt?
        /// The reason why the connection has to be closed; `nil` if it stays open.
        var end: RelayConnectionError?
    }

    private let state = Mutex(State())
    let loop: any EventLoop
    private let handler: NIOLoopBoundBox<RelayChannelHandler?>
    private let closed: EventLoopPromise<Void>

    init(on loop: any EventLoop) {
        self.loop = loop
        handler = NIOLoopBoundBox.makeEmptyBox(valueType: RelayChannelHandler.self, eventLoop: loop)
        closed = loop.makePromise()
    }

    /// Makes the TCP connection. All later events are reported to `user`.
    ///
    /// - Throws: ``RelayConnectionError``. After an error, nothing is reported to `user`.
    func connect(
        to address: RelayAddress, check: PinCheck, timeouts: RelayTimeouts, user: any RelayWireUser
    ) async throws(RelayConnectionError) {
        let attempt = ConnectAttempt(on: loop)
        let end = state.withLock { state in
            state.attempt = attempt
            return state.end
        }
        if end != nil { attempt.cancel() }
        do throws(RelayConnectionError) {
            try await attempt.connect(to: address, timeout: TimeAmount(timeouts.connect), on: loop) { channel in
                let handler = RelayChannelHandler(
                    address: address, check: check, handshakeTimeout: TimeAmount(timeouts.handshake), wire: self,
                    user: user)
                try channel.pipeline.syncOperations.addHandlers(try check.makeTLSHandler(for: address), handler)
            }
        } catch {
            closed.succeed()
            throw error
        }
    }

    /// Sends a frame. Frames are sent in the order of the calls.
    func send(_ frame: ClientFrame) { schedule { $0.frames.append(frame) } }

    /// Ends the connection or the attempt to connect. If the relay reads, earlier frames are sent first.
    func close(_ error: RelayConnectionError) {
        schedule { state in if state.end == nil { state.end = error } }
        state.withLock { $0.attempt }?.cancel()
    }

    /// Returns when the connection has ended.
    func waitUntilClosed() async { try? await closed.futureResult.get() }

    private func schedule(_ change: (inout State) -> Void) {
        let mustSchedule = state.withLock { state in
            change(&state)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { loop.execute { self.handler.value?.drain() } }
    }

    // MARK: The event loop's side

    func attach(_ handler: RelayChannelHandler) {
        self.handler.value = handler
        if state.withLock({ $0.end != nil }) { loop.execute { self.handler.value?.drain() } }
    }

    /// Reads again as soon as ``RelayWireUser/unread`` allows it.
    func resumeReading() { loop.execute { self.handler.value?.resumeReading() } }

    /// Moves the waiting frames into `frames` and reuses the memory of `frames`.
    ///
    /// - Parameter isWritable: whether frames can be written now. If `false`, no frame is moved.
    /// - Returns: the number of frames that were not moved, and the reason to close the connection, if there is one.
    func take(into frames: inout [ClientFrame], isWritable: Bool) -> (left: Int, end: RelayConnectionError?) {
        frames.removeAll(keepingCapacity: true)
        return state.withLock { state in
            if isWritable { swap(&frames, &state.frames) }
            state.isScheduled = false
            return (state.frames.count, state.end)
        }
    }

    func didClose() {
        handler.value = nil
        state.withLock { $0.frames = [] }
        closed.succeed()
    }
}
