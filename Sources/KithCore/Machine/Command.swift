/// Identifies a command, so that its answer can be matched to it.
package struct CommandID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A command's number, with the type of its answer. ``ProfileMachine/finish(_:_:)`` takes no answer of another type.
package struct Ticket<Answer: Sendable>: Hashable, Sendable {
    package let id: CommandID
    package init(_ id: CommandID) { self.id = id }

    /// Returns the answer in the effect that ended the command, as the ticket's type. No effect for this command has an answer of
    /// another type.
    package func answer(_ result: Result<any Sendable, KithError>) -> Result<Answer, KithError> {
        result.map { answer in
            guard let answer = answer as? Answer else { preconditionFailure("\(answer) is no \(Answer.self)") }
            return answer
        }
    }
}

/// A user's request, with the function of the machine that begins it.
///
/// A command that needs no relay and no log finishes when it begins. Others finish when a relay answers or the log brings an
/// entry. A command that throws has changed nothing.
package struct Command<Answer: Sendable>: Sendable, CustomStringConvertible {
    /// The name of the function that made the command.
    package let description: String
    let begin: @Sendable (ProfileMachine, Ticket<Answer>) throws(KithError) -> Void

    /// Makes a command that finishes later, with its ticket.
    init(
        named name: String = #function,
        _ begin: @escaping @Sendable (ProfileMachine, Ticket<Answer>) throws(KithError) -> Void
    ) {
        description = name
        self.begin = begin
    }

    /// Makes a command that finishes at once, with the result of `body`.
    init(named name: String = #function, now body: @escaping @Sendable (ProfileMachine) throws(KithError) -> Answer) {
        self.init(named: name) { (profile, ticket) throws(KithError) in
            profile.finish(ticket, .success(try body(profile)))
        }
    }
}

/// A command with its number, for any type of answer.
package struct GivenCommand: Sendable {
    package let id: CommandID
    let begin: @Sendable (ProfileMachine) throws(KithError) -> Void
}

extension ProfileInput {
    /// Makes the input that begins a command.
    package static func command<Answer>(_ id: CommandID, _ command: Command<Answer>) -> ProfileInput {
        .command(
            GivenCommand(id: id) { (profile) throws(KithError) in try command.begin(profile, Ticket(id)) })
    }
}
