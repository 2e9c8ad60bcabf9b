import KithClient
import Testing

@testable import KithCore
@testable import kith

@Suite("The terms of a search")
struct SearchTermsTests {
    private func contacts() throws -> [Contact] {
        let key = try #require(AccountKey([UInt8](repeating: 1, count: 32)))
        return [Contact(id: ContactID(rawValue: 4), name: "Anna Lee", accountKey: key, trust: .invite)]
    }

    private func search(_ line: String) throws -> MessageSearch {
        try SearchTerms(line: line).search(in: nil, me: "Alice", contacts: contacts())
    }

    @Test("words and conditions are told apart, and values in quotes contain spaces")
    func terms() throws {
        let found = try search(#"Invoice from:"anna lee" has:file 12:30 http://a"#)
        #expect(found.words == ["Invoice", "12:30", "http://a"])
        #expect(found.author == .contact(ContactID(rawValue: 4)) && found.hasFile && found.fromMs == nil)
        #expect(try search("from:me").author == .me && search("from:alice").author == .me)
        #expect(try SearchTerms(line: #"in:"book club""#).conversationName == "book club")
    }

    @Test("days begin at midnight of the user's time zone")
    func days() throws {
        let found = try search("after:2026-11-01 before:2026-11-02")
        let (from, before) = (try #require(found.fromMs), try #require(found.beforeMs))
        // Days of a change to or from summer time have an hour more or less, and none is here.
        #expect(before - from == 86_400_000)
        #expect(LocalTime(ms: from).text == "2026-11-01 00:00")
    }

    @Test(
        "invalid values are refused",
        arguments: [
            "before:2026-02-30", "before:yesterday", "after:2026-1", "after:", "has:picture", "from:nobody",
        ])
    func invalid(line: String) {
        #expect(throws: Failure.self) { try search(line) }
    }
}
