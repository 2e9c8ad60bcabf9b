import ArgumentParser
import Foundation
import Synchronization

/// Ends the process some time after ctrl-C or SIGTERM if it has not ended by itself. Otherwise an output without a
/// reader, such as a stopped pager, would block it for ever.
final class ExitWatchdog: Sendable {
    /// Maximum time to leave, in seconds. Longer than the longest wait for a goodbye.
    private static let seconds = 10.0

    private let isDone = Atomic<Bool>(false)
    private let signals = Mutex<[SignalWatch]>([])

    /// Starts to watch for the signals. The process must ignore them already (``StopSignals``): ignoring them later
    /// would hide them from other watchers.
    ///
    /// - Parameter giveBack: called before the process ends. It must not wait for a thread that writes.
    func begin(giveBack: @escaping @Sendable () -> Void = {}) {
        let watches = [SIGINT, SIGTERM].map { number in
            SignalWatch(number) { [weak self] in
                guard let self else { return }
                // A thread of its own, because all threads of tasks may be blocked in writing.
                Thread.detachNewThread { self.endIfLate(giveBack) }
            }
        }
        signals.withLock { $0 = watches }
    }

    /// Stops watching, because the output is written. From now on, ctrl-C ends the process at once.
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
