import ArgumentParser

/// Finds mistyped names of commands.
enum CommandNames {
    /// Describes the unknown command in the arguments; `nil` if there is none.
    ///
    /// Without this check, the argument parser would answer some unknown names with exit code 0 and the help of the command
    /// before the name.
    static func problem(with arguments: [String]) -> String? {
        var command: any ParsableCommand.Type = KithProgram.self
        var path = ["kith"]
        var words = arguments[...]
        let isHelp = words.first == "help"
        if isHelp { words.removeFirst() }
        while let word = words.popFirst(), !word.hasPrefix("-") {
            let known = command.configuration.subcommands
            // If the command has no subcommands, the next word is an argument of the command. The help takes only names of
            // commands.
            guard isHelp || !known.isEmpty else { return nil }
            if let next = known.first(where: { name($0) == word }) {
                command = next
                path.append(word)
                continue
            }
            // The argument parser adds a command `help` to the program.
            if word == "help", path.count == 1 { continue }
            return unknown(word, after: path, among: known.map(name))
        }
        return nil
    }

    private static func unknown(_ word: String, after path: [String], among names: [String]) -> String {
        let help = (["kith", "help"] + path.dropFirst()).joined(separator: " ")
        let near = NamedTarget.near(word, among: names).map { (path + [$0]).joined(separator: " ") }
        return "there is no command \((path + [word]).joined(separator: " "))"
            + (near.isEmpty ? " (\(help))" : "; did you mean \(near.joined(separator: " or "))?")
    }

    private static func name(_ command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? String(describing: command).lowercased()
    }
}
