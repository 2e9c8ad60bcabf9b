import Foundation
import Synchronization
import TestSupport
import Testing

@testable import kith

/// A run of the program under test, in a process of its own.
final class KithProcess: Sendable {
    private let process: Mutex<Process>
    private let input: FileHandle
    private let output: LineReader
    private let complaints: LineReader
    private let descriptors: [Int32]

    /// Starts `kith` with these arguments, and with its files in `folder`.
    ///
    /// - Parameter program: another program to start.
    init(
        _ arguments: [String], folder: URL, environment: [String: String] = [:], program: URL = BuiltProgram.kith
    ) throws {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(["KITH_HOME": folder.path]) { $1 }.merging(environment) { $1 }
        let ends = try Spawning.alone { () throws -> (FileHandle, Int32, Int32) in
            let pipes = (Pipe.closedToOthers(), Pipe.closedToOthers(), Pipe.closedToOthers())
            process.standardInput = pipes.0
            process.standardOutput = pipes.1
            process.standardError = pipes.2
            try process.run()
            return (
                pipes.0.fileHandleForWriting, Self.moved(pipes.1.fileHandleForReading),
                Self.moved(pipes.2.fileHandleForReading)
            )
        }
        input = ends.0
        descriptors = [ends.1, ends.2]
        output = LineReader(descriptor: ends.1)
        complaints = LineReader(descriptor: ends.2)
        self.process = Mutex(process)
    }

    /// Returns a duplicate of the descriptor that no child inherits, because Foundation keeps handles open for long.
    private static func moved(_ handle: FileHandle) -> Int32 {
        defer { try? handle.close() }
        return fcntl(handle.fileDescriptor, F_DUPFD_CLOEXEC, 3)
    }

    /// Writes a line; throws if the process has ended. The signal that comes with that must not end the tests.
    func write(_ line: String) throws {
        var (pipe, before) = (sigset_t(), sigset_t())
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        defer {
            var now = timespec()
            sigtimedwait(&pipe, nil, &now)
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        try input.write(contentsOf: Data((line + "\n").utf8))
    }

    var isRunning: Bool { process.withLock { $0.isRunning } }
    func endInput() throws { try input.close() }

    /// Returns the next line of standard output; `nil` at its end.
    func line() async -> String? { await output.next() }

    /// The number of bytes on its standard output that wait to be read.
    var unreadOutput: Int32 {
        var count: Int32 = 0
        return ioctl(descriptors[0], UInt(FIONREAD), &count) == 0 ? count : 0
    }

    /// Returns the rest of standard output.
    func rest() async -> [String] {
        var lines: [String] = []
        while let line = await output.next() { lines.append(line) }
        return lines
    }

    /// Returns the lines of standard error up to one that contains these words.
    @discardableResult
    func complaint(with words: String) async throws -> [String] {
        var lines: [String] = []
        while let line = await complaints.next() {
            lines.append(line)
            if line.contains(words) { return lines }
        }
        throw Missing(words: words, lines: lines)
    }

    /// Returns the rest of standard error.
    func complaintsLeft() async -> [String] {
        var lines: [String] = []
        while let line = await complaints.next() { lines.append(line) }
        return lines
    }

    struct Missing: Error {
        let words: String
        let lines: [String]
    }

    func signal(_ number: Int32) {
        process.withLock { process in
            // 0 would mean every process of the group.
            if process.isRunning, process.processIdentifier > 0 { kill(process.processIdentifier, number) }
        }
    }

    /// Waits for the end and returns the exit code; -1 if the process does not end.
    func exitCode() async -> Int32 {
        do {
            try await eventually("the process has ended") { process.withLock { !$0.isRunning } }
        } catch { return -1 }
        return process.withLock { $0.terminationStatus }
    }

    deinit {
        signal(SIGKILL)
        try? input.close()
        for descriptor in descriptors { close(descriptor) }
    }
}
