import Testing

@testable import kith

@Suite("Names for an existing profile", .timeLimit(.minutes(5)))
struct ProfileNameTests {
    @Test("are refused if they differ, instead of being ignored")
    func refused() async throws {
        try await withAnnAndBob { ann, bob, relay in
            let line = try #require(try await ann.run("invite", "--relay", relay, "--reusable").lines.first)
            for options in [["--my-name", "Bea"], ["--device-name", "Bea's"]] {
                let outcome = try await bob.run(["join", line] + options)
                #expect(outcome.code == 1)
                #expect(outcome.complaints.first?.contains("kith init sets names") == true)
            }
            #expect(try await bob.run("join", line, "--my-name", "Bob").code == 0)
        }
    }
}
