import Foundation

/// Waits for ctrl-C or SIGTERM. After the creation of a value of this type, ctrl-C and SIGTERM no longer end the process by
/// themselves.
struct StopSignals: Sendable {
    private let stream: AsyncStream<Void>
    private let watches: [SignalWatch]

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        self.stream = stream
        watches = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            return SignalWatch(number) { continuation.yield() }
        }
    }

    /// Returns as soon as one of the signals has arrived.
    func wait() async {
        for await _ in stream { return }
    }
}
