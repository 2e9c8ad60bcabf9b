import KithWire
import NIOCore
import Synchronization

/// The state machine at this end of a ``RelayWire``. Except for `unread`, all is called on the wire's event loop, in order.
protocol RelayWireUser: AnyObject, Sendable {
    /// The messages that wait to be taken. The wire reads only while there is room.
    var unread: UnreadBytes { get }
    /// TLS and the WebSocket connection stand.
    func didConnect(_ wire: RelayWire)
    func didReceive(_ message: [UInt8], on wire: RelayWire)
    /// The wire stopped reading, or reads again.
    func didSetReading(_ isReading: Bool, of wire: RelayWire)
    /// The connection is over. Nothing else is called afterwards.
    func didClose(_ wire: RelayWire, _ error: RelayConnectionError)
}

/// The bytes of one connection to a relay: TCP, TLS and WebSocket, and the frames that wait for the event loop.
final class RelayWire: Sendable {
    private struct State {
        /// Frames that have not been written, oldest first.
        var frames: [ClientFrame] = []
        var isScheduled = false
        var attempt: ConnectAttempt?
        /// Why the connection is to be closed.
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

    /// Makes the TCP connection. `user` then hears of everything else.
    ///
    /// - Throws: ``RelayConnectionError``; then `user` hears of nothing.
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

    /// Sends a frame, in the order of the calls.
    func send(_ frame: ClientFrame) { schedule { $0.frames.append(frame) } }

    /// Ends the connection, or the attempt to connect, after the frames that were sent before.
    func close(_ error: RelayConnectionError) {
        schedule { state in if state.end == nil { state.end = error } }
        state.withLock { $0.attempt }?.cancel()
    }

    /// Returns when the connection is over.
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

    /// Reads on once there is room for what is read.
    func resumeReading() { loop.execute { self.handler.value?.resumeReading() } }

    /// Takes the waiting frames out, into an array whose storage is used again.
    ///
    /// - Parameter isWritable: whether frames can be written now. If not, they stay.
    /// - Returns: the number of frames that stay, and why the connection is to be closed, if it is.
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
