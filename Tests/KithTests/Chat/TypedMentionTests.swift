import Testing

@testable import kith

@Suite("Completion of mentions")
struct TypedMentionTests {
    private let names = ["bob", "Bob Smith", "carol", "carla"]

    @Test(
        "Tab completes a name as far as it is certain",
        arguments: [
            ("hi @b", "ob"), ("@car", nil), ("@ca", "r"), ("@carl", "a"), ("hi (@Bo", "b Smith"), ("@bob", nil),
            ("mail@b", nil), ("hello", nil), ("@x", nil), ("", nil),
        ] as [(String, String?)])
    func completion(typed: String, rest: String?) {
        #expect(TypedMention.completion(of: typed, names: names) == rest)
    }
}
