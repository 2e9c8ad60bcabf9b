/// The number of a command. The effect with the command's result has the same number.
package struct CommandID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A command's number, with the type of its result. ``ProfileMachine/finish(_:_:)`` accepts no result of another type.
package struct Ticket<Answer: Sendable>: Hashable, Sendable {
    package let id: CommandID
    package init(_ id: CommandID) { self.id = id }

    /// Converts the result of a finished command to the ticket's type. A result of another type is a bug, and stops the program.
    package func answer(_ result: Result<any Sendable, KithError>) -> Result<Answer, KithError> {
        result.map { answer in
            guard let answer = answer as? Answer else { preconditionFailure("\(answer) is no \(Answer.self)") }
            return answer
        }
    }
}

/// A user's request, as a function that begins the command on the machine.
///
/// A command that needs neither a relay nor the log finishes when it begins. Other commands finish when a relay answers or the
/// log delivers an entry. If a command throws an error, it has changed nothing.
package struct Command<Answer: Sendable>: Sendable, CustomStringConvertible {
    /// The name of the function that has created the command.
    package let description: String
    let begin: @Sendable (ProfileMachine, Ticket<Answer>) throws(KithError) -> Void

    /// Creates a command that finishes later. `begin` gets the ticket with which the machine will finish the command.
    init(
        named name: String = #function,
        _ begin: @escaping @Sendable (ProfileMachine, Ticket<Answer>) throws(KithError) -> Void
    ) {
        description = name
        self.begin = begin
    }

    /// Creates a command that finishes at once, with the result of `body`.
    init(named name: String = #function, now body: @escaping @Sendable (ProfileMachine) throws(KithError) -> Answer) {
        self.init(named: name) { (profile, ticket) throws(KithError) in
            profile.finish(ticket, .success(try body(profile)))
        }
    }
}

/// A command with its number. The type of the result is erased, so that one case of ``ProfileInput`` can contain any command.
package struct GivenCommand: Sendable {
    package let id: CommandID
    let begin: @Sendable (ProfileMachine) throws(KithError) -> Void
}

extension ProfileInput {
    /// Creates the input that begins a command.
    package static func command<Answer>(_ id: CommandID, _ command: Command<Answer>) -> ProfileInput {
        .command(
            GivenCommand(id: id) { (profile) throws(KithError) in try command.begin(profile, Ticket(id)) })
    }
}
