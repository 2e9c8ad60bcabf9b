import ArgumentParser
import Foundation
import TestSupport

/// Measures the client. Some times are compared with the least time that the disk itself takes.
@main
struct ClientBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ClientBenchmark", abstract: "What the client writes, how fast, and how soon it is there.")

    @Option(help: "Conversations of the large vault.")
    var conversations: UInt64 = 100

    @Option(help: "Messages in the large vault.")
    var messages: UInt64 = 100_000

    @Option(help: "Transactions of each measurement of writing.")
    var transactions = 2_000

    @Option(help: "Where to make the vaults: on the disk to be measured. Beside this program unless given.")
    var folder = programFolder

    @Option(help: "People in the group.")
    var people = 200

    @Option(help: "Members of the large group in which one message is measured.")
    var largeGroup = 1_000

    @Option(help: "Messages to catch up on.")
    var missed = 10_000

    @Option(help: "Messages said one at a time.")
    var rounds = 500

    @Option(help: "Size of the file that is sent, in MiB.")
    var fileMebibytes = 1_024

    @Option(help: "Measure only these: vault, talk, catch-up, group, size, files.")
    var only: [Part] = Part.allCases

    @Option(help: .hidden)
    var writeUntilKilled: String?

    @Option(help: .hidden)
    var changeSecretUntilKilled: String?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case vault, talk, group, size, files
        case catchUp = "catch-up"
    }

    mutating func run() async throws {
        if let folder = writeUntilKilled { return try UntilKilled(folder: URL(fileURLWithPath: folder)).write() }
        if let folder = changeSecretUntilKilled {
            return try UntilKilled(folder: URL(fileURLWithPath: folder)).changeSecret()
        }
        let workshop = try Workshop(in: folder)
        defer { workshop.remove() }
        let report = Report(isJSON: json)
        if only.contains(.vault) {
            try VaultBenchmark(
                conversations: conversations, messages: messages, transactions: transactions, workshop: workshop,
                report: report
            ).run()
        }
        try await ConversationBenchmark(
            people: people, messages: missed, rounds: rounds, workshop: workshop, report: report
        ).run(only)
        if only.contains(.size) { try SizeBenchmark(members: largeGroup, workshop: workshop, report: report).run() }
        if only.contains(.files) {
            try await FileBenchmark(
                mebibytes: fileMebibytes, rounds: min(rounds, 100), workshop: workshop, report: report
            ).run()
        }
        report.finish()
    }
}
