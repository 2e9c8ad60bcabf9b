import ArgumentParser
import Foundation
import KithRelay

/// `kith relay audit`: prints everything that a relay stores.
struct RelayAuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Print everything that a relay stores, row by row.",
        discussion: """
            Reads the relay's folder, even while the relay runs, and changes nothing.
            Shows channels with their entries, key packages, names, and files: sizes,
            times, hashes of tokens, and whether bytes are missing on the disk.

            EXAMPLES
              kith relay audit                      the relay of this user
              kith relay audit --data /srv/kith     the relay in a folder
              kith relay audit --entries 3          only the last 3 entries of each channel
              kith relay audit --json | jq .        one JSON object for each row

            EXIT CODES
              0  printed    1  no relay, or it can't be read    64  wrong usage
            """)

    @OptionGroup var store: RelayStoreOptions

    @Option(name: .long, help: "Maximum entries of each channel; prints the last ones.")
    var entries: UInt64?

    @Flag(name: .long, help: "Print one JSON object a line.")
    var json = false

    func run() async throws {
        try await reportingFailure {
            let audit = try StoreAudit(folder: store.folder.path)
            struct OutputIsClosed: Error {}
            do {
                try audit.forEachRow(entriesPerChannel: entries) { row in
                    guard StandardStream.output.write((json ? row.json : row.text) + "\n") else {
                        throw OutputIsClosed()
                    }
                }
            } catch is OutputIsClosed {
                // The reader does not want more rows, for example in `kith relay audit | head`.
            }
        }
    }
}
