import ArgumentParser
import Foundation

/// The command-line program.
@main
struct KithProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kith",
        abstract: "A private messenger: people talk through a relay that can read nothing.",
        discussion: """
            EXAMPLES
              kith demo                      see everything work, in one terminal
              kith host                      be the relay yourself; it prints a line
              kith join LINE                 the other person types that line
              kith relay                     run a relay for many
              kith invite --relay HOST:PORT  a line for somebody to join you there
              kith send bob < letter.txt     say something
              kith listen, kith list         what came; your conversations
              kith help send                 more about a command

            FILES
              The folder that KITH_HOME names, or ~/.local/share/kith. KITH_PASSPHRASE_FILE
              names a file with the passphrase.

            EXIT CODES
              0  done
              1  something failed, or its output could not be written; said in one line
              64  wrong usage
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
                    SearchCommand.self, GroupCommand.self,
                ]),
            CommandGroup(
                name: "Trusting:",
                subcommands: [ContactsCommand.self, VerifyCommand.self, ExplainCommand.self]),
            CommandGroup(
                name: "Keeping:",
                subcommands: [StatusCommand.self, ExportCommand.self, ImportCommand.self, PassphraseCommand.self]),
            CommandGroup(
                name: "Running and seeing:",
                subcommands: [RelayCommand.self, DemoCommand.self, ClassicCommand.self]),
        ])

    /// The narrowest that help is laid out for, in columns.
    private static let narrowest = 60

    /// Runs the command that the arguments name.
    static func main() async {
        closeMemory()
        StandardStream.fillGaps()
        StandardStream.checkAtExit()
        // The parser of arguments crashes where its indentation leaves no room for words; the terminal wraps better.
        let asked = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }
        if (asked ?? TerminalMode.columns(of: .output)) < narrowest { setenv("COLUMNS", "\(narrowest)", 1) }
        if let problem = CommandNames.problem(with: Array(CommandLine.arguments.dropFirst())) {
            StandardStream.error.write("kith: \(SafeText.oneLine(problem))\n")
            Self.exit(withError: ExitCode.validationFailure)
        }
        await main(nil)
    }
}

/// The version of this program.
enum KithVersion {
    static let number = "0.1.0"
}
