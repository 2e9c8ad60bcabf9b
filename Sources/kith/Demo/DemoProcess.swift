import Foundation
import Synchronization

/// Another run of this program, as its own process, with JSON lines coming from it and text lines going to it.
final class DemoProcess: Sendable {
    let name: String
    private let process: Mutex<Process>
    private let input: FileHandle
    private let output: LineReader
    private let complaints: URL

    /// Starts `kith` with these arguments.
    ///
    /// - Parameters:
    ///   - folder: where its standard error is kept, and `KITH_HOME` is, so that nothing of the user's own is touched.
    ///   - mergesErrors: whether what it says on standard error comes among its lines.
    init(_ name: String, _ arguments: [String], in folder: URL, mergesErrors: Bool = false) throws {
        self.name = name
        complaints = folder.appendingPathComponent("\(name).stderr")
        let home = folder.appendingPathComponent("\(name).home")
        let process = Process()
        process.executableURL = try Self.thisProgram
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["KITH_HOME": home.path]) { $1 }
        process.environment?["KITH_PASSPHRASE_FILE"] = nil
        let toProcess = Pipe()
        let fromProcess = Pipe()
        process.standardInput = toProcess
        process.standardOutput = fromProcess
        _ = FileManager.default.createFile(
            atPath: complaints.path, contents: nil, attributes: [.posixPermissions: 0o600])
        process.standardError = mergesErrors ? fromProcess : try FileHandle(forWritingTo: complaints)
        try process.run()
        self.process = Mutex(process)
        input = toProcess.fileHandleForWriting
        // The reader owns the descriptor's other half for as long as the process lives.
        output = LineReader(descriptor: dup(fromProcess.fileHandleForReading.fileDescriptor))
    }

    private static var thisProgram: URL {
        get throws {
            guard let path = Bundle.main.executablePath else {
                throw Failure(message: "the demo can't find its own program")
            }
            return URL(fileURLWithPath: path)
        }
    }

    /// The next line that the process prints, or `nil` at its end.
    func nextLine() async -> String? { await output.next() }

    /// Gives the process a line to read.
    func write(_ line: String) throws {
        try input.write(contentsOf: Data((line + "\n").utf8))
    }

    /// The process reads the end of its input.
    func endInput() { try? input.close() }

    /// Asks the process to end.
    func terminate() {
        process.withLock { if $0.isRunning { $0.terminate() } }
    }

    /// Ends the process without asking.
    func kill() {
        process.withLock { process in
            // 0 would be every process of the group.
            guard process.isRunning, process.processIdentifier > 0 else { return }
            Foundation.kill(process.processIdentifier, SIGKILL)
        }
    }

    /// Returns once the process that was killed is gone.
    func waitForDeath() {
        process.withLock { $0.waitUntilExit() }
    }

    /// Waits for the process to end, for a while; then ends it. Returns its exit code, or `nil` if it had to be ended.
    func exitCode(within seconds: Double) async -> Int32? {
        let end = ContinuousClock.now + .seconds(seconds)
        while process.withLock({ $0.isRunning }) {
            guard ContinuousClock.now < end else {
                kill()
                return nil
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return process.withLock { $0.terminationStatus }
    }

    /// The last thing the process said on standard error.
    var lastComplaint: String? {
        (try? String(contentsOf: complaints, encoding: .utf8))?.split(separator: "\n").last.map(String.init)
    }
}
