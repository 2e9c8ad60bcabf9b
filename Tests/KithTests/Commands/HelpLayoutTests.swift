import ArgumentParser
import Testing

@testable import kith

/// Help on a terminal of 80 columns, the commonest width.
@Suite struct HelpLayoutTests {
    /// A command and all below it.
    private static func commands(_ command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        let configuration = command.configuration
        let below = configuration.ungroupedSubcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
        return [command] + below.flatMap(commands)
    }

    /// The lines of the parts that are laid out by hand: examples, exit codes, files.
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

    @Test("examples, exit codes and other lines that are laid out by hand fit, and nothing is wider than the terminal")
    func fits() {
        let commands = Self.commands(KithProgram.self)
        #expect(commands.count > 30)
        for command in commands {
            let lines = laidOut(KithProgram.helpMessage(for: command, columns: 400))
            let narrow = KithProgram.helpMessage(for: command, columns: 80)
            let rows = Set(narrow.split(separator: "\n").map(String.init))
            for line in lines { #expect(rows.contains(line), "\(command): \(line)") }
            // The line of usage is one line for the library.
            for row in rows where !row.hasPrefix("USAGE: ") {
                #expect(DisplayWidth.of(row) <= 80, "\(command): \(row)")
            }
        }
    }
}
