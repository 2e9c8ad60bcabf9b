import ArgumentParser
import Testing

@testable import kith

/// Help on a terminal of 80 columns, the most common width.
@Suite struct HelpLayoutTests {
    /// Returns a command and all its subcommands.
    private static func commands(_ command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        let configuration = command.configuration
        let below = configuration.ungroupedSubcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
        return [command] + below.flatMap(commands)
    }

    /// Returns the lines that are laid out by hand: examples, exit codes, files.
    private func laidOut(_ help: String) -> [String] {
        var lines: [String] = []
        var isInside = false
        for line in help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("  ") {
                if isInside { lines.append(line) }
            } else {
                isInside = !line.isEmpty && line.allSatisfy { $0.isUppercase || $0 == " " }
            }
        }
        return lines
    }

    @Test("help fits into 80 columns, with its manual layout unbroken")
    func fits() {
        let commands = Self.commands(KithProgram.self)
        #expect(commands.count > 30)
        for command in commands {
            let lines = laidOut(KithProgram.helpMessage(for: command, columns: 400))
            let narrow = KithProgram.helpMessage(for: command, columns: 80)
            let rows = Set(narrow.split(separator: "\n").map(String.init))
            for line in lines { #expect(rows.contains(line), "\(command): \(line)") }
            // The library never wraps the usage line.
            for row in rows where !row.hasPrefix("USAGE: ") {
                #expect(DisplayWidth.of(row) <= 80, "\(command): \(row)")
            }
        }
    }
}
