import Testing

@testable import KithClient
@testable import KithCore

@Suite("A closed profile")
struct ClosedProfileTests {
    @Test("still answers queries")
    func closedProfile() async throws {
        let alice = try await Person("alice")
        await alice.profile.close()
        #expect(await alice.profile.identity().name == "alice")
        for await event in await alice.profile.events() { Issue.record("\(event)") }
        await #expect(throws: KithError.closed) {
            try await alice.profile.rename(ContactID(rawValue: 1), to: "somebody")
        }
    }
}
