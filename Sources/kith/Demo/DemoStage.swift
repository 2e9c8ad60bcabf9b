import Foundation
import Synchronization

/// What a demo has started and has to clean up, whatever ends it.
final class DemoStage: Sendable {
    /// A temporary folder of the demo's own.
    let folder: URL
    private let cast = Mutex(Cast())
    private let signals = Mutex<[SignalWatch]>([])

    private struct Cast {
        var processes: [DemoProcess] = []
        var isOver = false
    }

    /// The demo was interrupted, and the program is about to end.
    struct Interrupted: Error {}

    init() throws {
        let pattern = FileManager.default.temporaryDirectory.appendingPathComponent("kith-demo-XXXXXX").path
        var template = Array(pattern.utf8CString)
        // Made by the system with a name of its own, open to its owner only.
        guard mkdtemp(&template) != nil else { throw Failure(message: "no temporary folder can be made") }
        folder = URL(
            fileURLWithPath: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// From here on ctrl-C and its like clean up before they end the program.
    func cleanUpOnSignals() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let watch = SignalWatch(number) { [weak self] in
                StandardStream.output.write("\n")
                self?.tearDown()
                StandardStream.error.write("kith: the demo was interrupted; everything is cleaned up\n")
                exit(128 + number)
            }
            signals.withLock { $0.append(watch) }
        }
    }

    /// Leaves signals to whoever takes them now.
    func leaveSignals() {
        for watch in signals.withLock({ $0 }) { watch.cancel() }
    }

    /// Starts another process of the demo.
    ///
    /// - Throws: ``Interrupted`` once everything is being cleaned up.
    func start(_ name: String, _ arguments: [String], mergesErrors: Bool = false) throws -> DemoProcess {
        try cast.withLock { cast in
            guard !cast.isOver else { throw Interrupted() }
            let process = try DemoProcess(name, arguments, in: folder, mergesErrors: mergesErrors)
            cast.processes.append(process)
            return process
        }
    }

    /// Whether everything is being cleaned up.
    var isOver: Bool { cast.withLock { $0.isOver } }

    /// Ends every process that is left and removes the folder.
    func tearDown() {
        let processes = cast.withLock { cast in
            cast.isOver = true
            return cast.processes
        }
        for process in processes { process.kill() }
        // A process that is not gone yet may still make files.
        for process in processes { process.waitForDeath() }
        try? FileManager.default.removeItem(at: folder)
    }
}
