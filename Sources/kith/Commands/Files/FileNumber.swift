import ArgumentParser
import KithClient
import KithWire

/// The number of a file in a conversation: the number of its message, and the file's number in the message. `12` stands for all
/// files of entry 12, and `12.2` for the second one. `-1` stands for the newest message with files.
struct FileNumber: ExpressibleByArgument, Hashable, Sendable, CustomStringConvertible {
    /// The message. A number that counts back counts only messages with files.
    let message: MessageNumber
    /// The file's number in the message, from 1; `nil` for all files.
    let number: Int?

    init?(argument: String) {
        let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let message = MessageNumber(argument: String(parts[0])) else { return nil }
        self.message = message
        guard parts.count == 2 else {
            number = nil
            return
        }
        guard let number = Int(parts[1]), (1...ClientLimits.attachments).contains(number) else { return nil }
        self.number = number
    }

    /// Returns the files with this number in a conversation; empty if there are none.
    func files(in conversation: ConversationID, of profile: Profile) async throws(KithError) -> [ListedFile] {
        let found: [ListedFile]
        switch message {
        case .seq(let seq): found = try await profile.files.list(of: seq, in: conversation)
        case .fromEnd(let count):
            let listed = try await profile.files.list(in: conversation, limit: count)
            // The newest message comes first.
            let messages = listed.map(\.message.id).reduce(into: [EntryID]()) { if $0.last != $1 { $0.append($1) } }
            found = messages.count < count ? [] : listed.filter { $0.message.id == messages[count - 1] }
        }
        return found.filter { number == nil || $0.file.number == number }
    }

    var description: String { number.map { "\(message.description).\($0)" } ?? message.description }
}

/// A size on the command line: a number of bytes, or a number with `KiB`, `MiB` or `GiB`; `off` for 0.
struct SizeArgument: ExpressibleByArgument, Hashable, Sendable {
    let bytes: UInt64

    private static let units: [(String, UInt64)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)]

    init?(argument: String) {
        if argument == "off" {
            bytes = 0
            return
        }
        for (unit, factor) in Self.units where argument.hasSuffix(unit) {
            let (bytes, overflows) = (UInt64(argument.dropLast(unit.count)) ?? .max).multipliedReportingOverflow(
                by: factor)
            guard !overflows, bytes <= 1 << 50 else { return nil }
            self.bytes = bytes
            return
        }
        return nil
    }
}
