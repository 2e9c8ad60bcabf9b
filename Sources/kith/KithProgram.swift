import ArgumentParser
import Foundation

/// The command-line program.
@main
struct KithProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kith",
        abstract: "A private messenger: people talk through a relay that can't read anything.",
        discussion: """
            EXAMPLES
              kith demo                      see everything work, in one terminal
              kith host                      run a relay yourself; it prints a line
              kith join LINE                 the other person types that line
              kith relay                     run a relay for many people
              kith invite --relay HOST:PORT  print a line for a person to join you there
              kith send bob < letter.txt     send a text
              kith listen, kith list         new messages; your conversations
              kith help send                 more about a command

            FILES
              The folder that KITH_HOME names, or ~/.local/share/kith. KITH_PASSPHRASE_FILE
              names a file with the passphrase.

            EXIT CODES
              0  done
              1  error, or the output could not be written
              64  wrong usage
              The help of a command lists its other codes.
            """,
        version: "kith \(KithVersion.number)",
        groupedSubcommands: [
            CommandGroup(
                name: "Meeting:",
                subcommands: [
                    InitCommand.self, HostCommand.self, InviteCommand.self, JoinCommand.self, RegisterCommand.self,
                    LookupCommand.self, RenameMeCommand.self,
                ]),
            CommandGroup(
                name: "Talking:",
                subcommands: [
                    ChatCommand.self, SendCommand.self, ListenCommand.self, ListCommand.self, HistoryCommand.self,
                    SearchCommand.self, FilesCommand.self, GetCommand.self, ReactCommand.self, EditCommand.self,
                    DeleteCommand.self, PinCommand.self, TimerCommand.self, GroupCommand.self, RequestsCommand.self,
                    ArchiveCommand.self, UnarchiveCommand.self, MuteCommand.self, UnmuteCommand.self,
                ]),
            CommandGroup(
                name: "Trusting:",
                subcommands: [ContactsCommand.self, VerifyCommand.self, ExplainCommand.self]),
            CommandGroup(
                name: "Keeping:",
                subcommands: [StatusCommand.self, ExportCommand.self, ImportCommand.self, PassphraseCommand.self]),
            CommandGroup(
                name: "Running and watching:",
                subcommands: [RelayCommand.self, DemoCommand.self, ClassicCommand.self]),
        ])

    /// Minimum width of the help, in columns.
    private static let narrowest = 60

    /// Runs the command in the arguments.
    static func main() async {
        closeMemory()
        StandardStream.fillGaps()
        StandardStream.checkAtExit()
        // In a narrower window, the terminal wraps the help, because the argument parser crashes if its indentation leaves no
        // room for words.
        let asked = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }
        if (asked ?? TerminalMode.columns(of: .output)) < narrowest { setenv("COLUMNS", "\(narrowest)", 1) }
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let problem = InvalidText.problem() ?? CommandNames.problem(with: arguments) {
            StandardStream.error.write("kith: \(SafeText.oneLine(problem))\n")
            Self.exit(withError: ExitCode.validationFailure)
        }
        await main(MessageNumber.positional(in: arguments))
    }
}

/// The program's version.
enum KithVersion {
    static let number = "0.1.0"
}
