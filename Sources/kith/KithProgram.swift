import ArgumentParser

/// The command-line program.
@main
struct KithProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kith",
        abstract: "A private messenger: people talk through a relay that can read nothing.",
        discussion: """
            EXAMPLES
              kith host                        be the relay, and invite somebody: they type what it prints
              kith join LINE                   use somebody's invite, and talk
              kith chat bob                    go on talking
              kith send bob < letter.txt       for scripts; kith listen --json for bots
              kith demo                        see everything work, in one terminal
              kith help chat                   more about a command

            EXIT CODES
              0  done    1  something failed, said in one line    64  wrong usage
              Commands that have more say so in their help.
            """,
        version: "kith \(KithVersion.number)",
        groupedSubcommands: [
            CommandGroup(
                name: "Meeting:",
                subcommands: [
                    InitCommand.self, HostCommand.self, InviteCommand.self, JoinCommand.self, RegisterCommand.self,
                    LookupCommand.self,
                ]),
            CommandGroup(
                name: "Talking:",
                subcommands: [
                    ChatCommand.self, SendCommand.self, ListenCommand.self, ListCommand.self, HistoryCommand.self,
                    SearchCommand.self,
                    GroupCommand.self,
                ]),
            CommandGroup(
                name: "Trusting:",
                subcommands: [ContactsCommand.self, VerifyCommand.self, ExplainCommand.self]),
            CommandGroup(
                name: "Keeping:",
                subcommands: [StatusCommand.self, PassphraseCommand.self]),
            CommandGroup(
                name: "Running and seeing:",
                subcommands: [RelayCommand.self, DemoCommand.self, ClassicCommand.self]),
        ])
}

/// The version of this program.
enum KithVersion {
    static let number = "0.1.0"
}
