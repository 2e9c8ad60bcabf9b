import ArgumentParser
import Foundation
import KithRelay
import KithWire
import Logging

/// `kith relay`: runs a relay, and looks at one.
struct RelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Run a relay, or look at what one holds.",
        subcommands: [RelayRunCommand.self],
        defaultSubcommand: RelayRunCommand.self)
}
