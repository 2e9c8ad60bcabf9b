import ArgumentParser

/// `kith relay`: runs a relay, and looks at one.
struct RelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Run a relay, ask one how it is, or see what one holds.",
        subcommands: [RelayRunCommand.self, RelayStatusCommand.self, RelayAuditCommand.self],
        defaultSubcommand: RelayRunCommand.self)
}
