import ArgumentParser
import KithClient

// The commands that decide whether a conversation is listed, and whether its messages are announced.

/// The shared parts of `kith archive`, `kith unarchive`, `kith mute` and `kith unmute`.
enum ListingCommands {
    static let exitCodes = """
        EXIT CODES
          0  done
          1  no such conversation
          5  another process has the profile open
          64  wrong usage
        """

    /// Changes a setting of a conversation, and prints the change.
    static func change(
        _ name: String, _ options: ProfileOptions, saying words: String,
        _ change: (Profile, ConversationID) async throws -> Void
    ) async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let conversation = try await NamedTarget.conversation(name, in: profile)
                try await change(profile, conversation.id)
                try await GroupCommand.report(
                    conversation.id, of: profile, options, saying: "\(name: conversation.name) is \(own: words)")
            }
        }
    }
}

/// `kith archive`.
struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Take a conversation out of the list until a message arrives.",
        discussion: """
            kith list --all shows archived conversations too. A muted conversation stays
            archived when messages arrive. Nobody else is told.

            EXAMPLES
              kith archive bob
              kith archive "book club"

            JSON
              One object, as kith list prints it.

            \(ListingCommands.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    func run() async throws {
        try await ListingCommands.change(name, options, saying: "archived") { try await $0.setArchived(true, $1) }
    }
}

/// `kith unarchive`.
struct UnarchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unarchive",
        abstract: "Put an archived conversation back into the list.",
        discussion: """
            Nobody else is told.

            EXAMPLES
              kith unarchive bob
              kith unarchive "book club"

            JSON
              One object, as kith list prints it.

            \(ListingCommands.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    func run() async throws {
        try await ListingCommands.change(name, options, saying: "in the list again") {
            try await $0.setArchived(false, $1)
        }
    }
}

/// `kith mute`.
struct MuteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mute",
        abstract: "Stop announcing a conversation's messages.",
        discussion: """
            kith chat does not announce the conversation's messages, and kith listen does not
            print them unless it prints JSON or only this conversation. They still count as
            unread. Nobody else is told.

            EXAMPLES
              kith mute bob
              kith mute "book club"

            JSON
              One object, as kith list prints it.

            \(ListingCommands.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    func run() async throws {
        try await ListingCommands.change(name, options, saying: "muted") { try await $0.setMuted(true, $1) }
    }
}

/// `kith unmute`.
struct UnmuteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmute",
        abstract: "Announce a muted conversation's messages again.",
        discussion: """
            Nobody else is told.

            EXAMPLES
              kith unmute bob
              kith unmute "book club"

            JSON
              One object, as kith list prints it.

            \(ListingCommands.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    func run() async throws {
        try await ListingCommands.change(name, options, saying: "not muted any more") {
            try await $0.setMuted(false, $1)
        }
    }
}
