import Foundation
import Synchronization

/// The processes and files of a demo. At the end, no process and no file of the demo is left, even after an error or a signal.
final class DemoStage: Sendable {
    /// The demo's temporary folder.
    let folder: URL
    private let cast = Mutex(Cast())
    private let signals = Mutex<[SignalWatch]>([])
    /// The outcome of removing the folder; `nil` before that.
    private let removal = Mutex<Failure??>(nil)

    private struct Cast {
        var processes: [DemoProcess] = []
        var isOver = false
    }

    /// Maximum number of attempts to remove the folder. Another thread of this program may create files while the folder is being
    /// removed, so one attempt may fail.
    private static let removals = 100

    /// Thrown after an interruption of the demo. The program is about to end.
    struct Interrupted: Error {}

    init() throws {
        let pattern = FileManager.default.temporaryDirectory.appendingPathComponent("kith-demo-XXXXXX").path
        var template = Array(pattern.utf8CString)
        // `mkdtemp` makes a folder with a unique name, which only its owner can open.
        guard mkdtemp(&template) != nil else { throw Failure(message: "no temporary folder can be made") }
        folder = URL(
            fileURLWithPath: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// From this call on, ctrl-C and similar signals clean up before they end the program.
    func cleanUpOnSignals() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let watch = SignalWatch(number) { [weak self] in
                StandardStream.output.write("\n")
                let outcome = self?.tearDown()?.message ?? "everything is cleaned up"
                StandardStream.error.write("kith: the demo was interrupted; \(SafeText.oneLine(outcome))\n")
                exit(128 + number)
            }
            signals.withLock { $0.append(watch) }
        }
    }

    /// Stops handling the signals. After this call, another handler can handle the signals.
    func leaveSignals() {
        for watch in signals.withLock({ $0 }) { watch.cancel() }
    }

    /// Starts a process of the demo.
    ///
    /// - Throws: ``Interrupted`` if the clean-up has begun.
    func start(_ name: String, _ arguments: [String], mergesErrors: Bool = false) throws -> DemoProcess {
        try cast.withLock { cast in
            guard !cast.isOver else { throw Interrupted() }
            let process = try DemoProcess(name, arguments, in: folder, mergesErrors: mergesErrors)
            cast.processes.append(process)
            return process
        }
    }

    /// Whether the clean-up has begun.
    var isOver: Bool { cast.withLock { $0.isOver } }

    /// Kills the remaining processes and removes the folder. A second call waits until the first one has finished.
    ///
    /// - Returns: a failure that names the folder if it could not be removed.
    @discardableResult
    func tearDown() -> Failure? {
        let processes = cast.withLock { cast in
            cast.isOver = true
            return cast.processes
        }
        for process in processes { process.kill() }
        // The processes must have ended, because a running process could still create files.
        for process in processes { process.waitForDeath() }
        return removal.withLock { removal in
            if removal == nil { removal = .some(removeFolder()) }
            return removal ?? nil
        }
    }

    private func removeFolder() -> Failure? {
        let files = FileManager.default
        // Under its new name, this program's other threads no longer find the folder.
        let gone = folder.appendingPathExtension("removed")
        try? files.moveItem(at: folder, to: gone)
        var problem: (any Error)?
        for _ in 0..<Self.removals {
            let left = [gone, folder].filter { files.fileExists(atPath: $0.path) }
            if left.isEmpty { return nil }
            for place in left {
                do { try files.removeItem(at: place) } catch { problem = error }
            }
        }
        let reason = problem.map { ErrorWords.sentence(for: $0) } ?? "it came back"
        return Failure(message: "\(folder.path)* could not be removed, and may hold keys: \(reason)")
    }
}
