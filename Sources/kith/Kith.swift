import ArgumentParser

@main
struct Kith: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "kith", subcommands: [RelayCommand.self])
}
