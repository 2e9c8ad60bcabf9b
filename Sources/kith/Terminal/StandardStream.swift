import Foundation
import KithClient
import PrivateFiles
import Synchronization

/// An output stream without a buffer: standard output, standard error, or a terminal. Each write is complete or has failed.
struct StandardStream: Sendable {
    let descriptor: Int32

    static let output = StandardStream(descriptor: STDOUT_FILENO)
    static let error = StandardStream(descriptor: STDERR_FILENO)

    /// The first system error that prevented a write to standard output; 0 for none.
    private static let outputError = Atomic<Int32>(0)

    /// The failure to report if standard output could not be written completely. `nil` if all writes succeeded, or if they
    /// failed only because the reader has gone.
    static var outputFailure: Failure? {
        let error = outputError.load(ordering: .relaxed)
        return error == 0 ? nil : Failure(message: "the output is not complete: \(SystemError(error).sentence)")
    }

    /// Whether the stream is a terminal.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Whether the stream's reader has gone, as far as this can be seen without writing.
    ///
    /// If the reader of a pipe has gone, the system reports an error. For a terminal or a local socket, the system reports a
    /// hang-up. For a network socket, the system only reports that the other side will send no more. A network socket whose other
    /// side will send no more counts as abandoned, because no better sign exists. A local socket whose other side will send no
    /// more does not count as abandoned.
    var isAbandoned: Bool {
        var state = pollfd(fd: descriptor, events: Self.remoteEnd, revents: 0)
        guard poll(&state, 1, 0) > 0 else { return false }
        if state.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { return true }
        return state.revents & Self.remoteEnd != 0 && !isLocalSocket
    }

    #if os(Linux)
        /// The value of `POLLRDHUP`. The C library declares this name for GNU programs only.
        private static let remoteEnd: Int16 = 0x2000
    #else
        private static let remoteEnd: Int16 = 0
    #endif

    private var isLocalSocket: Bool {
        var address = sockaddr()
        var length = socklen_t(MemoryLayout<sockaddr>.size)
        return getsockname(descriptor, &address, &length) == 0 && Int32(address.sa_family) == AF_UNIX
    }

    /// Whether a write would return at once, because there is room or because the write fails.
    var hasRoom: Bool {
        var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&room, 1, 0) > 0
    }

    /// Number of bytes that a stream with room takes without blocking: the size of a page. A pipe with room has a free page, and
    /// a socket with room has more. POSIX requires that a pipe with room takes `PIPE_BUF` bytes, which is the size of a page too.
    private static let room = 4 << 10

    /// Whether a write of this many bytes is certain not to block.
    func takes(_ count: Int) -> Bool { count <= Self.room && hasRoom }

    /// Writes a line. If the write would block, does nothing.
    func writeIfTaken(_ line: String) {
        if hasRoom { write(line) }
    }

    /// Writes all of `text`. Returns `false` if the write failed or the reader has gone. ``outputFailure`` stores a failure of
    /// standard output.
    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// Writes all of `bytes`. Returns `false` if the write failed or the reader has gone. ``outputFailure`` stores a failure of
    /// standard output.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            let error = count < 0 ? errno : EIO
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if error == EAGAIN {
                // Another process has made the pipe non-blocking, so the write has to wait here.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
            } else if error != EINTR {
                didFail(error)
                return false
            }
        }
        return true
    }

    /// Stores a failure of standard output. Stores nothing if the reason is that the reader has gone: the reader wants no more
    /// output.
    private func didFail(_ error: Int32) {
        guard descriptor == Self.output.descriptor, error != EPIPE else { return }
        _ = Self.outputError.compareExchange(expected: 0, desired: error, ordering: .relaxed)
    }
}

extension StandardStream {
    /// Opens the descriptors of standard input, output and error if they were closed when the program started. Files and
    /// connections of this program therefore never get the number of a standard stream. A descriptor that was opened here cannot
    /// be read or written.
    static func fillGaps() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // `open` returns the lowest free number, which is this one.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// At the end of the process, writes the buffer of the C library. The buffer may contain the help text. If the write fails,
    /// the exit code is 1.
    static func checkAtExit() {
        atexit {
            guard fflush(nil) != 0, errno != EPIPE else { return }
            StandardStream.error.write("kith: the output is not complete: \(SystemError(errno).sentence)\n")
            _exit(EXIT_FAILURE)
        }
    }
}
