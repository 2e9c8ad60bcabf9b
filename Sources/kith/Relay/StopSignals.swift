import Foundation

/// Waits for ctrl-C or SIGTERM, which no longer end the process at once.
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

    /// Returns when one of the signals has come.
    func wait() async {
        for await _ in stream { return }
    }
}
