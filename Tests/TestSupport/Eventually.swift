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
    let end = ContinuousClock.now + limit
    while true {
        let last = try await value()
        if isRight(last) { return }
        guard ContinuousClock.now < end else {
            throw NeverHappened(description: "\(file):\(line): not right within \(limit); the last value was \(last)")
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// Checks a condition repeatedly until it is true.
///
/// - Parameters:
///   - what: the condition in words, for the error.
///   - interval: the pause between two checks.
/// - Throws: ``NeverHappened`` once the time is over.
package func eventually(
    _ what: String = "the condition", within limit: Duration = .seconds(180),
    every interval: Duration = .milliseconds(10), file: String = #fileID, line: Int = #line,
    _ isTrue: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !isTrue() {
        guard ContinuousClock.now < end else {
            throw NeverHappened(description: "\(file):\(line): not true within \(limit): \(what)")
        }
        try await Task.sleep(for: interval)
    }
}
