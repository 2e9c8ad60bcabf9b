/// The number of a command, to match its answer with.
package struct CommandID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The number of a command, with the type of its answer: ``Messenger/finish(_:_:)`` takes no other.
package struct Ticket<Answer: Sendable>: Hashable, Sendable {
    package let id: CommandID
    package init(_ id: CommandID) { self.id = id }

    /// The answer in the effect that ended the command. It has the ticket's type: nothing else makes such an effect.
    package func answer(_ result: Result<any Sendable, KithError>) -> Result<Answer, KithError> {
        result.map { answer in
            guard let answer = answer as? Answer else { preconditionFailure("\(answer) is no \(Answer.self)") }
            return answer
        }
    }
}

/// Something that a user wants done, and how the machine begins it.
///
/// A command that needs nobody is finished by its beginning; the others when a relay or the log answers. One that throws has
/// changed nothing.
package struct Command<Answer: Sendable>: Sendable, CustomStringConvertible {
    /// The name of the function that made it.
    package let description: String
    let begin: @Sendable (Messenger, Ticket<Answer>) throws(KithError) -> Void

    /// A command that is finished later, with its ticket.
    init(
        named name: String = #function,
        _ begin: @escaping @Sendable (Messenger, Ticket<Answer>) throws(KithError) -> Void
    ) {
        description = name
        self.begin = begin
    }

    /// A command that is finished at once.
    init(named name: String = #function, now body: @escaping @Sendable (Messenger) throws(KithError) -> Answer) {
        self.init(named: name) { (messenger, ticket) throws(KithError) in
            messenger.finish(ticket, .success(try body(messenger)))
        }
    }
}

/// A command with its number.
package struct GivenCommand: Sendable {
    package let id: CommandID
    let begin: @Sendable (Messenger) throws(KithError) -> Void
}

extension MessengerInput {
    /// The user wants something.
    package static func command<Answer>(_ id: CommandID, _ command: Command<Answer>) -> MessengerInput {
        .command(
            GivenCommand(id: id) { (messenger) throws(KithError) in try command.begin(messenger, Ticket(id)) })
    }
}
