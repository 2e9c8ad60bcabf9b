/// A condition that did not become true in time.
package struct NeverHappened: Error, CustomStringConvertible {
    package let description: String
}

/// Reads a value repeatedly until it is right.
///
/// - Throws: ``NeverHappened`` with the caller's line and the last value, once the time is over.
package func eventually<T>(
    _ value: () async throws -> T, within limit: Duration = .seconds(180), file: String = #fileID, line: Int = #line,
    until isRight: (T) -> Bool
) async throws {
    var polling = Polling(limit)
    while true {
        let last = try await value()
        if isRight(last) { return }
        guard try await polling.pause() else {
            throw NeverHappened(description: "\(file):\(line): not right within \(limit); the last value was \(last)")
        }
    }
}

/// Checks a condition repeatedly until it is true.
///
/// - Parameter what: the condition in words, for the error.
/// - Throws: ``NeverHappened`` once the time is over.
package func eventually(
    _ what: String = "the condition", within limit: Duration = .seconds(180), file: String = #fileID,
    line: Int = #line, _ isTrue: () async throws -> Bool
) async throws {
    var polling = Polling(limit)
    while try await !isTrue() {
        guard try await polling.pause() else {
            throw NeverHappened(description: "\(file):\(line): not true within \(limit): \(what)")
        }
    }
}

/// The pauses between two looks at a condition. They grow from 1 ms to 100 ms, so a condition that becomes true soon is noticed
/// soon, and a long wait costs little.
private struct Polling {
    private let end: ContinuousClock.Instant
    private var length = Duration.milliseconds(1)

    init(_ limit: Duration) { end = .now + limit }

    /// Sleeps, and returns whether there is time for another look.
    mutating func pause() async throws -> Bool {
        guard ContinuousClock.now < end else { return false }
        try await Task.sleep(for: length)
        length = min(length * 2, .milliseconds(100))
        return true
    }
}
