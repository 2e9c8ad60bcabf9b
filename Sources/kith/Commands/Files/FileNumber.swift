import ArgumentParser
import KithClient

/// The number of a file in a conversation: the number of its message's entry, and the file's number in the message. `12` stands
/// for all files of entry 12, and `12.2` for the second one.
struct FileNumber: ExpressibleByArgument, Hashable, Sendable, CustomStringConvertible {
    let seq: UInt64
    /// The file's number in the message, from 1; `nil` for all files.
    let number: Int?

    init?(argument: String) {
        let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let seq = UInt64(parts[0]), seq > 0 else { return nil }
        self.seq = seq
        guard parts.count == 2 else {
            number = nil
            return
        }
        guard let number = Int(parts[1]), (1...ClientLimits.attachments).contains(number) else { return nil }
        self.number = number
    }

    /// Whether the number chooses a file, which is one of the files of the message at ``seq``.
    func includes(_ listed: ListedFile) -> Bool { number == nil || listed.file.number == number }

    var description: String { number.map { "\(seq).\($0)" } ?? "\(seq)" }
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
