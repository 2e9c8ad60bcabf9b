import Foundation
import Synchronization

/// Starting processes, one at a time.
///
/// Between the making of a pipe and the start of the process that it is for, another process that is started in parallel
/// would inherit it, and hold it open for as long as it lives: its reader would wait for an end that does not come.
package enum Spawning {
    private static let lock = Mutex(())

    /// Runs `start` while nothing else is started.
    package static func alone<R: Sendable>(_ start: () throws -> R) rethrows -> R {
        try lock.withLock { _ in try start() }
    }
}

extension Pipe {
    /// A pipe that no child inherits but as its standard input or output.
    package static func closedToOthers() -> Pipe {
        let pipe = Pipe()
        for handle in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
            _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        return pipe
    }
}
