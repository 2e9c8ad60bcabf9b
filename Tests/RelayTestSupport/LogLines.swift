import Logging
import Synchronization

/// Collects the lines that a relay logs.
package final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    package init() {}

    /// The lines so far.
    package var all: [String] { lines.withLock { $0 } }

    /// Returns a logger whose lines are collected.
    package func logger(level: Logger.Level) -> Logger {
        var logger = Logger(label: "test") { _ in
            LineHandler { [self] line in lines.withLock { $0.append(line) } }
        }
        logger.logLevel = level
        return logger
    }
}

private struct LineHandler: LogHandler {
    let write: @Sendable (String) -> Void
    var logLevel = Logger.Level.warning
    var metadata: Logger.Metadata = [:]

    init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { write("\(event.message) \(metadata) \(event.metadata ?? [:])") }
}
