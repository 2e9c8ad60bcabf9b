import Foundation
import RelayTestSupport
import TestSupport
import Testing

@testable import kith

@Suite("A relay on the command line", .timeLimit(.minutes(5)))
struct RelayChoiceTests {
    private let wrong = String(repeating: "0", count: 64)

    @Test("with a wrong key is not remembered, and the right key is accepted later")
    func firstContact() async throws {
        try await withRelay { relay in
            let ann = try await CommandPerson("Ann", in: relay.folder)
            let address = "\(relay.address)"
            let place = ["--relay", address, "--pin", wrong, "--timeout", "0"]
            for command in [["lookup", "bob"], ["invite"], ["register", "ann"]] {
                let outcome = try await ann.run(command + place)
                #expect(outcome.code == 3)
                #expect(outcome.complaints.count == 1)
                #expect(outcome.complaints.last?.contains("the relay's key is not the expected one") == true)
            }
            let status = try #require(try await ann.run("status", "--json").objects.first)
            #expect((status["relays"] as? [Any])?.isEmpty == true)
            #expect(status["invites"] as? Int == 0)
            let found = try await ann.run("lookup", "bob", "--relay", address)
            #expect(found.code == 1)
            #expect(found.complaints.last == "kith: nobody holds that name at the relay")
            #expect(try await ann.run("register", "ann", "--relay", address, "--pin", "\(relay.pin)").code == 0)
        }
    }

    @Test("with another key than the known one is refused at once, without a trace")
    func knownRelay() async throws {
        try await withAnnAndBob { ann, _, relay in
            // Bob has used the invite, and it is closed.
            try await ann.listen { try await kept(by: ann)[1] == 0 }
            let before = try await kept(by: ann)
            let place = ["--relay", relay, "--pin", wrong, "--timeout", "0"]
            for command in [["invite"], ["register", "ann"], ["lookup", "bob"], ["group", "create", "team", "Bob"]] {
                let outcome = try await ann.run(command + place)
                #expect(outcome.code == 3, "\(command)")
                #expect(outcome.complaints.count == 1)
                #expect(
                    outcome.complaints.last?.hasSuffix(", and --pin names another") == true, "\(outcome.complaints)")
            }
            let after = try await kept(by: ann)
            #expect(after == before)
        }
    }

    /// Returns the numbers of relays, invites and conversations in a profile.
    private func kept(by person: CommandPerson) async throws -> [Int?] {
        let status = try #require(try await person.run("status", "--json").objects.first)
        let conversations = try await person.run("list", "--json").lines.count
        return [(status["relays"] as? [Any])?.count, status["invites"] as? Int, conversations]
    }
}
