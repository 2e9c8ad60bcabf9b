import Foundation
import KithClient
import KithWire

/// Shows the progress of files in one line of a terminal. Shows nothing if standard error is not a terminal.
struct TransferDisplay: Sendable {
    let profile: Profile
    /// The message whose files are shown.
    let message: EntryID

    /// Interval between two updates.
    private static let interval = Duration.milliseconds(250)
    /// The time over which the rate is measured.
    private static let window = Duration.seconds(5)
    private static let clearLine = "\r\u{1B}[K"

    /// Runs `work`, and shows the progress meanwhile.
    func showing<R>(_ work: () async throws -> R) async rethrows -> R {
        guard StandardStream.error.isTerminal, TerminalMode.isCapable else { return try await work() }
        let task = Task { await run() }
        defer {
            task.cancel()
            StandardStream.error.write(Self.clearLine)
        }
        return try await work()
    }

    private func run() async {
        var samples: [(at: ContinuousClock.Instant, done: UInt64)] = []
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let files = await profile.files.progress().filter { $0.message == message }
            guard !files.isEmpty, !Task.isCancelled else { continue }
            let now = ContinuousClock.now
            samples.append((now, files.reduce(0) { $0 + $1.done }))
            samples.removeAll { now - $0.at > Self.window }
            var rate = 0.0
            if let first = samples.first, let last = samples.last, now > first.at, last.done > first.done {
                rate = Double(last.done - first.done) / ((now - first.at) / .seconds(1))
            }
            StandardStream.error.write(Self.clearLine + SafeText.oneLine(Self.line(files, rate: rate)))
        }
    }

    /// Returns the line for files that are transferred together.
    ///
    /// - Parameter rate: bytes per second; 0 if it is not known.
    static func line(_ files: [FileProgress], rate: Double) -> String {
        let total = files.reduce(0) { $0 + $1.total }
        let done = min(total, files.reduce(0) { $0 + $1.done })
        let name = files.count == 1 ? ForeignText(files[0].file.name).quoted : counted(files.count, "file")
        let percent = total == 0 ? 100 : Int(Double(done) / Double(total) * 100)
        // The ciphertext is a little longer than the file. People know the file's size.
        let size = ByteCount.text(files.reduce(0) { $0 + $1.file.size })
        var parts = ["\(name): \(percent) % of \(size)"]
        if let trouble = files.compactMap(\.trouble).first {
            parts.append("waiting: \(trouble)")
        } else if rate > 0 {
            parts.append("\(ByteCount.text(UInt64(rate)))/s")
            parts.append("\(timeLeft(Double(total - done) / rate)) left")
        }
        return "[\(parts.joined(separator: ", "))]"
    }

    private static func timeLeft(_ seconds: Double) -> String {
        let seconds = Int(min(seconds.rounded(.up), 360_000))
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3_600 { return "\(seconds / 60) min \(seconds % 60) s" }
        return "\(seconds / 3_600) h \(seconds / 60 % 60) min"
    }
}
