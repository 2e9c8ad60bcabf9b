import Foundation
import Testing

@testable import KithRelay

@Suite("The relay's limits")
struct RelayLimitsTests {
    /// The names in the first column of the table of limits in Docs/operations.md.
    private func documentedNames() throws -> [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "Docs/operations.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## Limits\n").dropFirst().first)
            .components(separatedBy: "\n## ")[0]
        return section.split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { row in
            row.split(separator: "|")[0].split(separator: "`").enumerated().filter { $0.offset % 2 == 1 }
                .map { String($0.element) }
        }
    }

    @Test("every limit that can be set is documented under its name, once")
    func documented() throws {
        #expect(try documentedNames().sorted() == RelayLimits.names.sorted())
    }
}
