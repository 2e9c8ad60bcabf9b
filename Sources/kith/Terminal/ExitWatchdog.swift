import ArgumentParser
import Foundation
import Synchronization

/// Ends the process some time after ctrl-C or SIGTERM if it has not ended by itself: an output that nobody reads, a pager's
/// for instance, would keep it for ever.
final class ExitWatchdog: Sendable {
    /// How long leaving may take. Longer than any goodbye is waited for, so that nothing else takes as long.
    private static let seconds = 10.0

    private let isDone = Atomic<Bool>(false)
    private let signals = Mutex<[SignalWatch]>([])

    /// Begins to watch for the signals. They are ignored already (``StopSignals``): ignoring them later would take them from
    /// who watches.
    ///
    /// - Parameter giveBack: what is to be done before the process ends. It must not wait for who writes.
    func begin(giveBack: @escaping @Sendable () -> Void = {}) {
        let watches = [SIGINT, SIGTERM].map { number in
            SignalWatch(number) { [weak self] in
                guard let self else { return }
                // A thread of its own: all those of tasks may be writing.
                Thread.detachNewThread { self.endIfLate(giveBack) }
            }
        }
        signals.withLock { $0 = watches }
    }

    /// The output was written. Whoever presses ctrl-C again ends the process at once.
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
        StandardStream.error.writeIfTaken("kith: \(reason); ended without waiting\n")
        _exit(ExitCode.failure.rawValue)
    }
}
