import ArgumentParser

/// `kith relay`: runs, inspects and changes a relay.
struct RelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Run a relay, check it, print its contents, or delete from it.",
        subcommands: [RelayRunCommand.self, RelayStatusCommand.self, RelayAuditCommand.self, RelayDropCommand.self],
        defaultSubcommand: RelayRunCommand.self)
}
