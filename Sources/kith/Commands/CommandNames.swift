import ArgumentParser

/// Finds mistyped names of commands.
enum CommandNames {
    /// Describes the unknown command in the arguments; `nil` if there is none.
    static func problem(with arguments: [String]) -> String? {
        var command: any ParsableCommand.Type = KithProgram.self
        var path = ["kith"]
        var words = arguments[...]
        if words.first == "help" { words.removeFirst() }
        while let word = words.popFirst(), !word.hasPrefix("-"), word != "help" {
            let names = command.configuration.subcommands.map(name)
            guard !names.isEmpty else { return nil }
            if let next = command.configuration.subcommands.first(where: { name($0) == word }) {
                command = next
                path.append(word)
                continue
            }
            let near = NamedTarget.near(word, among: names)
            // If no command has a similar name, the word may be an argument of the default command.
            guard !near.isEmpty || command.configuration.defaultSubcommand == nil else { return nil }
            let meant = near.map { (path + [$0]).joined(separator: " ") }.joined(separator: " or ")
            let help = (["kith", "help"] + path.dropFirst()).joined(separator: " ")
            return "there is no command \((path + [word]).joined(separator: " "))"
                + (near.isEmpty ? " (\(help))" : "; did you mean \(meant)?")
        }
        return nil
    }

    private static func name(_ command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? String(describing: command).lowercased()
    }
}
