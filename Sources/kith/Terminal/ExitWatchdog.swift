import ArgumentParser
import Foundation
import Synchronization

/// Ends the process some time after ctrl-C or SIGTERM, if the process has not ended by itself. An output without a reader, such
/// as a stopped pager, can block a process for ever.
final class ExitWatchdog: Sendable {
    /// Maximum time for leaving, in seconds. This time is longer than the longest wait for a goodbye.
    private static let seconds = 10.0

    private let isDone = Atomic<Bool>(false)
    private let signals = Mutex<[SignalWatch]>([])

    /// Starts to watch for the signals. The process must already ignore the signals (see ``StopSignals``). This function does not
    /// change the handling of the signals, so other watchers still see them.
    ///
    /// - Parameter giveBack: called before the process ends, to restore the terminal. The function must not wait for a thread
    ///   that writes.
    func begin(giveBack: @escaping @Sendable () -> Void = {}) {
        let watches = [SIGINT, SIGTERM].map { number in
            SignalWatch(number) { [weak self] in
                guard let self else { return }
                // A separate thread is needed, because all threads for tasks may be blocked by writing.
                Thread.detachNewThread { self.endIfLate(giveBack) }
            }
        }
        signals.withLock { $0 = watches }
    }

    /// Stops watching. Call this function when all output is written. After the call, ctrl-C ends the process at once.
    func done() {
        isDone.store(true, ordering: .relaxed)
        for watch in signals.withLock({ $0 }) { watch.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }

    private func endIfLate(_ giveBack: () -> Void) {
        Thread.sleep(forTimeInterval: Self.seconds)
        guard !isDone.load(ordering: .relaxed) else { return }
        giveBack()
        let reason =
            [StandardStream.output, .error].allSatisfy(\.hasRoom)
            ? "leaving took longer than \(Int(Self.seconds)) seconds" : "output is blocked"
        StandardStream.error.writeIfTaken("kith: \(reason); exiting without waiting\n")
        _exit(ExitCode.failure.rawValue)
    }
}
