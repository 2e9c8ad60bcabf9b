import Foundation
import Synchronization
import TestSupport
import Testing

@testable import kith

/// A run of the program under test, as its own process.
final class KithProcess: Sendable {
    private let process: Mutex<Process>
    private let input: FileHandle
    private let output: LineReader
    private let complaints: LineReader
    private let descriptors: [Int32]

    /// Starts `kith` with these arguments and its files in `folder`.
    ///
    /// - Parameter program: another program in its place.
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

    /// Another descriptor of the same, which no child inherits either, in its place: Foundation keeps handles for long.
    private static func moved(_ handle: FileHandle) -> Int32 {
        defer { try? handle.close() }
        return fcntl(handle.fileDescriptor, F_DUPFD_CLOEXEC, 3)
    }

    /// Gives it a line; throws if it has ended. The signal that comes with that must not end the tests.
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

    /// The next line on standard output; `nil` at its end.
    func line() async -> String? { await output.next() }

    /// How many bytes of its standard output wait to be read.
    var unreadOutput: Int32 {
        var count: Int32 = 0
        return ioctl(descriptors[0], UInt(FIONREAD), &count) == 0 ? count : 0
    }

    /// Everything that is still to come on standard output.
    func rest() async -> [String] {
        var lines: [String] = []
        while let line = await output.next() { lines.append(line) }
        return lines
    }

    /// Lines on standard error up to one that has these words in it.
    @discardableResult
    func complaint(with words: String) async throws -> [String] {
        var lines: [String] = []
        while let line = await complaints.next() {
            lines.append(line)
            if line.contains(words) { return lines }
        }
        throw Missing(words: words, lines: lines)
    }

    /// Everything that is still to come on standard error.
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
            // 0 would be every process of the group.
            if process.isRunning, process.processIdentifier > 0 { kill(process.processIdentifier, number) }
        }
    }

    /// Waits for the end; returns the exit code.
    func exitCode() async -> Int32 {
        while process.withLock({ $0.isRunning }) { try? await Task.sleep(for: .milliseconds(10)) }
        return process.withLock { $0.terminationStatus }
    }

    deinit {
        signal(SIGKILL)
        try? input.close()
        for descriptor in descriptors { close(descriptor) }
    }
}
