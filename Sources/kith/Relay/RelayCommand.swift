import ArgumentParser

/// `kith relay`: runs a relay, and looks at one.
struct RelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Run a relay, ask one how it is, see what one holds, or drop something from one.",
        subcommands: [RelayRunCommand.self, RelayStatusCommand.self, RelayAuditCommand.self, RelayDropCommand.self],
        defaultSubcommand: RelayRunCommand.self)
}
