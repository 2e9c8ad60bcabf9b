import Foundation
import Synchronization

/// Starting processes, one at a time.
///
/// Otherwise a process that is started in parallel could inherit a pipe that was made for another process. It would keep the
/// pipe open, and the pipe's reader would wait for an end that does not come.
package enum Spawning {
    private static let lock = Mutex(())

    /// Runs `start` while no other process is started.
    package static func alone<R: Sendable>(_ start: () throws -> R) rethrows -> R {
        try lock.withLock { _ in try start() }
    }
}

extension Pipe {
    /// A pipe that a child inherits only as its standard input or output.
    package static func closedToOthers() -> Pipe {
        let pipe = Pipe()
        for handle in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
            _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        return pipe
    }
}
