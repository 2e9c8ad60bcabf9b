import ArgumentParser
import Foundation
import KithClient

/// `kith group`: conversations of more than two.
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Make a group, and change who is in it.",
        discussion: """
            All members may add and remove. Whoever is removed can read nothing that is said later; whoever is added, nothing \
            that was said before.

            EXAMPLES
              kith group create "book club" bob carol
              kith group members "book club"
              kith group add "book club" dave
              kith group remove "book club" bob
              kith group rename "book club" "film club"
              kith group leave "film club"

            \(exitCodes)
            """,
        subcommands: [
            GroupCreateCommand.self, GroupMembersCommand.self, GroupAddCommand.self, GroupRemoveCommand.self,
            GroupRenameCommand.self, GroupLeaveCommand.self,
        ])

    /// The exit codes of the subcommands.
    static let exitCodes = """
        EXIT CODES
          0  done
          1  failed, said in one line
          3  a member's key has changed (kith verify), or the relay has another key
          4  not done in time: the relay was not there, a new member's keys are not
             valid by this device's clock (the member is
             added once they are) or, to leave, no other member was there
          5  another process has the profile open
          6  the relay has no room
          64  wrong usage
          130  you decided not to
        """

    static let later = "It may still happen when the profile is open next; kith group members shows it."

    /// Prints the group as it is now.
    static func report(
        _ id: ConversationID, of profile: Profile, _ options: ProfileOptions, saying text: Sentence
    ) async throws {
        if options.json {
            JSONLine.print(ConversationReport(try await profile.conversation(id)))
        } else {
            StandardStream.error.say(text)
        }
    }

    /// The contacts of these names, each once.
    static func contacts(_ names: [String], in profile: Profile) async throws -> [Contact] {
        var contacts: [Contact] = []
        for name in names {
            let contact = try await NamedTarget.reachableContact(name, in: profile)
            if !contacts.contains(where: { $0.id == contact.id }) { contacts.append(contact) }
        }
        return contacts
    }

    /// Refuses what can't be the name of a group.
    static func check(title: String) throws {
        if TextRules.isBlank(title) { throw ValidationError("A group's name has at least one character.") }
        if title.utf8.count > ClientLimits.title {
            throw ValidationError("A group's name has at most \(ClientLimits.title) bytes.")
        }
        if title.trimmingCharacters(in: .whitespaces) != title {
            throw ValidationError("A group's name has no space at its ends.")
        }
        if SafeText.oneLine(title) != title { throw ValidationError("A group's name has no control characters in it.") }
    }
}
