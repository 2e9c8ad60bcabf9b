import Foundation
import Synchronization

/// Another process that runs this program, with lines as input and output.
final class DemoProcess: Sendable {
    let name: String
    private let process: Mutex<Process>
    private let input: FileHandle
    private let output: LineReader
    private let complaints: URL

    /// Starts `kith` with the given arguments.
    ///
    /// - Parameters:
    ///   - folder: the folder for a file with the process's standard error, and for the process's `KITH_HOME`. The process does
    ///     not use the user's own files.
    ///   - mergesErrors: whether standard error is part of the process's lines.
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
        // The reader gets its own descriptor, which stays open as long as the process exists.
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

    /// Returns the next line of the process; `nil` at the end of its output.
    func nextLine() async -> String? { await output.next() }

    /// Writes a line to the process.
    func write(_ line: String) throws {
        try input.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Ends the input of the process.
    func endInput() { try? input.close() }

    /// Asks the process to end.
    func terminate() {
        process.withLock { if $0.isRunning { $0.terminate() } }
    }

    /// Kills the process.
    func kill() {
        process.withLock { process in
            // A process id of 0 would mean all processes of the group.
            guard process.isRunning, process.processIdentifier > 0 else { return }
            Foundation.kill(process.processIdentifier, SIGKILL)
        }
    }

    /// Waits until a killed process has ended.
    func waitForDeath() {
        process.withLock { $0.waitUntilExit() }
    }

    /// Waits until the process ends. After `seconds`, kills the process. Returns the exit code; `nil` if the process was killed.
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

    /// The last line that the process wrote to standard error.
    var lastComplaint: String? {
        (try? String(contentsOf: complaints, encoding: .utf8))?.split(separator: "\n").last.map(String.init)
    }
}
