import Dispatch
import Foundation

/// Waits for ctrl-C or SIGTERM, which no longer end the process at once.
final class StopSignals: Sendable {
    private let stream: AsyncStream<Void>
    /// Held so that they go on watching; nobody touches them after `init`.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        self.stream = stream
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
    }

    /// Returns when one of the signals has come.
    func wait() async {
        for await _ in stream { return }
    }
}
