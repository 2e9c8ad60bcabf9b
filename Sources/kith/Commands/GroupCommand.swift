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
        _ id: ConversationID, of kith: Profile, _ profile: ProfileOptions, saying text: Sentence
    ) async throws {
        if profile.json {
            JSONLine.print(ConversationReport(try await kith.conversation(id)))
        } else {
            StandardStream.error.say(text)
        }
    }

    /// The contacts of these names, each once.
    static func contacts(_ names: [String], in kith: Profile) async throws -> [Contact] {
        var contacts: [Contact] = []
        for name in names {
            let contact = try await NamedTarget.reachableContact(name, in: kith)
            if !contacts.contains(where: { $0.id == contact.id }) { contacts.append(contact) }
        }
        return contacts
    }
}

/// `kith group create`.
struct GroupCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a group.",
        discussion: """
            EXAMPLES
              kith group create "book club" bob carol
              kith group create team bob --relay relay.example.org:7443 --json

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var relay: RelayChoice
    @OptionGroup var patience: Patience

    @Argument(help: "The group's name. All members see it.")
    var title: String

    @Argument(help: "The contacts to begin with.")
    var members: [String]

    func validate() throws { try checkTitle(title) }

    func run() async throws {
        try await reportingFailure {
            try await profile.withOpen { kith in
                let contacts = try await GroupCommand.contacts(members, in: kith)
                let point = try await relay.point(for: kith, within: patience.timeout)
                let id = try await patience.wait(for: kith, at: point.address, remains: GroupCommand.later) {
                    try await kith.createGroup(title, at: point, members: contacts.map(\.id))
                }
                let names = contacts.map { "\(name: $0.name)" as Sentence }.joined(separator: ", ")
                try await GroupCommand.report(id, of: kith, profile, saying: "\(name: title): you, \(names)")
            }
        }
    }
}

/// `kith group members`.
struct GroupMembersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "List who is in a group, or in any conversation.",
        discussion: """
            EXAMPLES
              kith group members "book club"
              kith group members "book club" --json | jq -r .name

            JSON
              One object a line: contact (missing for yourself), name, device, isMe,
              verified, trust.

            EXIT CODES
              0  listed    1  there is no such group    64  wrong usage
            """)

    @OptionGroup var profile: ProfileOptions

    @Argument(help: "The group.")
    var group: String

    func run() async throws {
        try await reportingFailure {
            let members = try await profile.withOpenForReading { kith in
                try await kith.members(of: try await NamedTarget.conversation(group, in: kith).id)
            }
            if profile.json {
                for member in members { JSONLine.print(MemberReport(member)) }
            } else {
                let rows = members.map { member in
                    [
                        MessageWording.name(member.name), MessageWording.name(member.deviceName),
                        member.isMe ? "you" : member.trust.sentence.description,
                    ]
                }
                for line in Columns.lines(rows) { StandardStream.output.write(line + "\n") }
            }
        }
    }
}

/// `kith group add`.
struct GroupAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add members, or add again those whose device is new.",
        discussion: """
            EXAMPLES
              kith group add "book club" dave
              kith group add "book club" dave erin

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var patience: Patience

    @Argument(help: "The group.")
    var group: String

    @Argument(help: "The contacts to add.")
    var members: [String]

    func run() async throws {
        try await reportingFailure {
            try await profile.withOpen { kith in
                let conversation = try await NamedTarget.conversation(group, in: kith)
                let contacts = try await GroupCommand.contacts(members, in: kith)
                try await patience.wait(for: kith, at: conversation.relay, remains: GroupCommand.later) {
                    try await kith.add(contacts.map(\.id), to: conversation.id)
                }
                let names = contacts.map { "\(name: $0.name)" as Sentence }.joined(separator: ", ")
                try await GroupCommand.report(conversation.id, of: kith, profile, saying: "added \(names)")
            }
        }
    }
}

/// `kith group remove`.
struct GroupRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a member: nothing that is said later can be read there.",
        discussion: """
            On a terminal the command asks first; --yes does not.

            EXAMPLES
              kith group remove "book club" bob
              kith group remove "book club" bob --yes

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var patience: Patience

    @Argument(help: "The group.")
    var group: String

    @OptionGroup var consent: Consent

    @Argument(help: "The member.")
    var member: String

    func run() async throws {
        try await reportingFailure {
            try await profile.withOpen { kith in
                let conversation = try await NamedTarget.conversation(group, in: kith)
                let contact = try await NamedTarget.contact(member, in: kith)
                if !conversation.isDirect {
                    try await consent.get("Remove \(name: contact.name) from \(name: conversation.name)?")
                }
                try await patience.wait(for: kith, at: conversation.relay, remains: GroupCommand.later) {
                    try await kith.remove(contact.id, from: conversation.id)
                }
                try await GroupCommand.report(
                    conversation.id, of: kith, profile, saying: "removed \(name: contact.name)")
            }
        }
    }
}

/// `kith group rename`.
struct GroupRenameCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename",
        abstract: "Give a group another name. All members see it.",
        discussion: """
            EXAMPLES
              kith group rename "book club" "film club"

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var patience: Patience

    @Argument(help: "The group.")
    var group: String

    @Argument(help: "The new name.")
    var title: String

    func validate() throws { try checkTitle(title) }

    func run() async throws {
        try await reportingFailure {
            try await profile.withOpen { kith in
                let conversation = try await NamedTarget.conversation(group, in: kith)
                let events = await kith.events()
                try await patience.wait(for: kith, at: conversation.relay, remains: GroupCommand.later) {
                    try await kith.rename(conversation.id, to: title)
                    for await event in events {
                        let now: ConversationSummary
                        switch event {
                        case .conversation(let summary) where summary.id == conversation.id: now = summary
                        // The change may have been among them.
                        case .missed: now = try await kith.conversation(conversation.id)
                        default: continue
                        }
                        if now.name == title { return }
                        if let obstacle = now.obstacle { throw obstacle }
                    }
                    throw KithError.closed
                }
                try await GroupCommand.report(
                    conversation.id, of: kith, profile, saying: "\(name: conversation.name) is \(name: title) now")
            }
        }
    }
}

/// `kith group leave`.
struct GroupLeaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave",
        abstract: "Leave a group, or any conversation. What was said stays on this device.",
        discussion: """
            On a terminal the command asks first; --yes does not.

            EXAMPLES
              kith group leave "book club"
              kith group leave "book club" --yes

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var patience: Patience

    @OptionGroup var consent: Consent

    @Argument(help: "The group.")
    var group: String

    func run() async throws {
        try await reportingFailure {
            try await profile.withOpen { kith in
                let conversation = try await NamedTarget.conversation(group, in: kith)
                try await consent.get("Leave \(name: conversation.name) for good?")
                let later = "It is asked for; a device of another member takes this one out when it is online"
                try await patience.wait(for: kith, at: conversation.relay, remains: later) {
                    try await kith.leave(conversation.id)
                }
                try await GroupCommand.report(
                    conversation.id, of: kith, profile, saying: "you left \(name: conversation.name)")
            }
        }
    }
}

/// Refuses what can't be the name of a group.
private func checkTitle(_ title: String) throws {
    if TextRules.isBlank(title) { throw ValidationError("A group's name has at least one character.") }
    if title.utf8.count > ClientLimits.title {
        throw ValidationError("A group's name has at most \(ClientLimits.title) bytes.")
    }
    if title.trimmingCharacters(in: .whitespaces) != title {
        throw ValidationError("A group's name has no space at its ends.")
    }
    if SafeText.oneLine(title) != title { throw ValidationError("A group's name has no control characters in it.") }
}
