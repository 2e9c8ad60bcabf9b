import Testing

@testable import kith

@Suite("The number of a message on the command line")
struct MessageNumberTests {
    @Test(
        "a number of the log, or a place from the end",
        arguments: [
            ("12", MessageNumber.seq(12)), ("-1", .fromEnd(1)), ("-1000", .fromEnd(1_000)), ("−3", .fromEnd(3)),
        ])
    func valid(text: String, number: MessageNumber) {
        #expect(MessageNumber(argument: text) == number)
    }

    @Test("anything else is refused", arguments: ["0", "-0", "-1001", "+1", "-+1", "x", "", "-", "1.5"])
    func invalid(text: String) {
        #expect(MessageNumber(argument: text) == nil)
    }

    @Test("the hyphen of a number is replaced in commands that take one, before the first --")
    func arguments() {
        #expect(MessageNumber.positional(in: ["react", "bob", "-1", "👍"]) == ["react", "bob", "−1", "👍"])
        #expect(MessageNumber.positional(in: ["edit", "bob", "-2", "-3"]) == ["edit", "bob", "−2", "-3"])
        #expect(MessageNumber.positional(in: ["get", "bob", "-1.2"]) == ["get", "bob", "−1.2"])
        for arguments in [["send", "bob", "-1"], ["edit", "bob", "--", "-2"], ["react", "bob", "1"], []] {
            #expect(MessageNumber.positional(in: arguments) == arguments)
        }
    }
}
