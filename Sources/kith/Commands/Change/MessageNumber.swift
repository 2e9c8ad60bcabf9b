import ArgumentParser
import KithClient

/// The number of a message on the command line: its number in the log, or `-1` for the newest message, `-2` for the one before,
/// and so on.
enum MessageNumber: Hashable, Sendable {
    case seq(UInt64)
    /// The place from the end of the conversation. The newest message has the number 1.
    case fromEnd(Int)

    /// The highest accepted `N` in a number `-N`, which counts back from the newest message.
    private static let farthest = 1_000

    init?(_ text: some StringProtocol) {
        if let seq = UInt64(text), seq > 0, !text.hasPrefix("+") {
            self = .seq(seq)
        } else if text.hasPrefix("-"), let count = Int(text.dropFirst()), (1...Self.farthest).contains(count),
            !text.dropFirst().hasPrefix("+")
        {
            self = .fromEnd(count)
        } else {
            return nil
        }
    }

    /// Returns the seq of the message with this number. If the number counts back from the newest message, a message exists at
    /// the returned seq. A given seq is returned without a check.
    ///
    /// - Throws: ``Failure`` if the number counts back further than the first message.
    func seq(in conversation: ConversationSummary, of profile: Profile) async throws -> UInt64 {
        if case .seq(let seq) = self { return seq }
        return try await message(in: conversation, of: profile).seq ?? 0
    }

    /// Returns the message with this number.
    ///
    /// - Throws: ``Failure`` if there is no such message.
    func message(in conversation: ConversationSummary, of profile: Profile) async throws -> Message {
        let found: Message?
        switch self {
        case .seq(let seq): found = try await profile.message(seq, in: conversation.id)
        case .fromEnd(let count):
            // Notices and unsent messages are not counted, so more than `count` lines may be needed.
            let lines = try await profile.history(of: conversation.id, limit: Self.farthest * 2)
            let people = lines.filter { $0.seq != nil && $0.author != .kith && $0.body != .deleted }
            found = people.count >= count ? people[people.count - count] : nil
        }
        guard let found else {
            throw Failure("there is no message \(own: description) in \(name: conversation.name) (kith history)")
        }
        return found
    }

    /// The number as the user writes it.
    var description: String {
        switch self {
        case .seq(let seq): "\(seq)"
        case .fromEnd(let count): "-\(count)"
        }
    }
}

extension MessageNumber {
    /// The commands whose second argument is the number of a message or of a file.
    private static let commands: Set<String> = ["react", "edit", "pin", "delete", "explain", "get"]
    /// The minus sign, U+2212. The argument parser treats an argument that begins with a hyphen as an option.
    private static let minus = "−"

    /// Returns the program's arguments with a minus sign in place of the hyphen of a message's number. The argument parser treats
    /// an argument that begins with a hyphen as an option.
    static func positional(in arguments: [String]) -> [String] {
        guard let command = arguments.first, commands.contains(command),
            let index = arguments.firstIndex(where: { $0.hasPrefix("-") && FileNumber(argument: $0) != nil }),
            !arguments[..<index].contains("--")
        else { return arguments }
        var changed = arguments
        changed[index] = minus + arguments[index].dropFirst()
        return changed
    }
}

extension MessageNumber: ExpressibleByArgument {
    init?(argument: String) {
        self.init(argument.hasPrefix(Self.minus) ? "-" + argument.dropFirst() : argument)
    }
}
