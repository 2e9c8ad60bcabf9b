import ArgumentParser
import Foundation
import KithClient

/// `kith group`: creates and changes groups.
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Make a group, and change its members.",
        discussion: """
            Every member may add and remove members. A removed member can't read later messages, and a new member can't \
            read earlier ones.

            EXAMPLES
              kith group create "book club" bob carol
              kith group members "book club"
              kith group add "book club" dave
              kith group remove "book club" bob
              kith group rename "book club" "film club"
              kith group leave "film club"
              kith group delete "film club"

            \(exitCodes)
            """,
        subcommands: [
            GroupCreateCommand.self, GroupMembersCommand.self, GroupAddCommand.self, GroupRemoveCommand.self,
            GroupRenameCommand.self, GroupLeaveCommand.self, GroupDeleteCommand.self,
        ])

    /// The exit codes of the subcommands.
    static let exitCodes = """
        EXIT CODES
          0  done
          1  error
          3  a member's key has changed (kith verify), or the relay has another key
          4  not done in time: the relay was not reached, a new member's keys are not
             valid by this device's clock yet (the member is added later), or, to
             leave, no other member was online
          5  another process has the profile open
          6  the relay has no room
          64  wrong usage
          130  you decided against it
        """

    static let later = "It may still be done when the profile is open again; kith group members shows it."

    /// Reports a change of a group. If the options request JSON, prints the group's new state as JSON. If the options do not
    /// request JSON, prints `text`.
    static func report(
        _ id: ConversationID, of profile: Profile, _ options: ProfileOptions, saying text: Sentence
    ) async throws {
        if options.json {
            JSONLine.print(ConversationReport(try await profile.conversation(id)))
        } else {
            StandardStream.error.say(text)
        }
    }

    /// Finds the contacts with the given names. If two names lead to one contact, returns the contact once.
    static func contacts(_ names: [String], in profile: Profile) async throws -> [Contact] {
        var contacts: [Contact] = []
        for name in names {
            let contact = try await NamedTarget.reachableContact(name, in: profile)
            if !contacts.contains(where: { $0.id == contact.id }) { contacts.append(contact) }
        }
        return contacts
    }

    /// Refuses a text that cannot be a group's name.
    static func check(title: String) throws {
        if TextRules.isBlank(title) { throw ValidationError("A group's name must have at least one character.") }
        if title.utf8.count > ClientLimits.title {
            throw ValidationError("A group's name must have at most \(ClientLimits.title) bytes.")
        }
        if title.trimmingCharacters(in: .whitespaces) != title {
            throw ValidationError("A group's name must not begin or end with a space.")
        }
        if SafeText.oneLine(title) != title {
            throw ValidationError("A group's name must not contain control characters.")
        }
    }
}
