import Foundation
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite("Requests to kith listen --json", .timeLimit(.minutes(5)))
struct ListenRequestTests {
    @Test("every answer has the ref of its request, even if the request is invalid")
    func refs() async throws {
        try await withAnnAndBob { _, bob, _ in
            let listener = try bob.start(["listen", "--json"])
            func answer(to line: String) async throws -> [String: Any] {
                try listener.write(line)
                while let line = await listener.line() {
                    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
                    if ["sent", "error"].contains(object["event"] as? String) { return object }
                }
                return [:]
            }
            let mistakes = [
                (#"{"send":{"to":"Ann"},"ref":10}"#, #""send.text" is missing"#),
                (#"{"send":{"to":"Ann","text":7},"ref":10}"#, #""send.text" has the wrong form (kith help listen)"#),
                (#"{"ref":10}"#, #"the only command is "send""#),
                (#"{"send":{"to":"Ann","text":" "},"ref":10}"#, "there is nothing to send"),
                (
                    #"{"send":{"to":"Ann","text":"a\u0000\u0301b"},"ref":10}"#,
                    "that is not text: it has a NUL in it; base64 makes text of anything"
                ),
            ]
            for (line, problem) in mistakes {
                let answer = try await answer(to: line)
                #expect(answer["ref"] as? Int == 10, "\(line.prefix(80))")
                #expect(answer["message"] as? String == problem)
            }
            #expect(try await answer(to: #"{"send":{},"ref":"a"}"#)["ref"] as? String == "a")
            let noJSON = try await answer(to: "send it")
            #expect(noJSON["message"] as? String == "this is not a command: it is not a JSON object (kith help listen)")
            listener.signal(SIGTERM)
            _ = await listener.rest()
        }
    }

    @Test("the longest text is accepted even if JSON escapes each of its bytes")
    func longest() async throws {
        try await withAnnAndBob { _, bob, _ in
            let listener = try bob.start(["listen", "--json"])
            let text = String(repeating: #"\u0061"#, count: ClientLimits.text)
            try listener.write(#"{"send":{"to":"Ann","text":"\#(text)"},"ref":1}"#)
            var answer = ""
            while let line = await listener.line() {
                answer = line
                if line.contains("\"event\":\"sent\"") || line.contains("\"event\":\"error\"") { break }
            }
            #expect(answer.contains("\"event\":\"sent\"") && answer.contains("\"ref\":1"), "\(answer)")
            try listener.write(#"{"send":{"to":"Ann","text":"\#(text + text)"},"ref":2}"#)
            while let line = await listener.line() {
                guard line.contains("\"event\":\"error\"") else { continue }
                #expect(line.contains("this line is too long"))
                break
            }
            listener.signal(SIGTERM)
            _ = await listener.rest()
        }
    }
}

@Suite("Invalid texts", .timeLimit(.minutes(5)))
struct TextRulesTests {
    @Test("are recognised by their scalars, not their characters")
    func scalars() {
        #expect(TextRules.problem(with: "a\0b") == .notText)
        #expect(TextRules.problem(with: "a\0\u{301}b") == .notText)
        #expect(TextRules.problem(with: " \n\u{2003}") == .blank)
        #expect(TextRules.problem(with: "") == .blank)
        // A space with a combining accent is visible.
        #expect(TextRules.problem(with: " \u{301}") == nil)
        #expect(TextRules.problem(with: String(repeating: "é", count: 3), limit: 5) == .tooLong(limit: 5))
        #expect(TextRules.problem(with: "👩‍👩‍👧") == nil)
    }

    @Test("are refused by every command")
    func commands() async throws {
        try await withAnnAndBob { ann, bob, _ in
            let refused = try await ann.shell(#"printf 'a\0\314\201b' | kith send Bob"#)
            #expect(refused.code == 1)
            #expect(
                refused.complaints == [
                    "kith: that is not text: it has a NUL in it; base64 makes text of anything; nothing was sent"
                ])
            #expect(try await ann.shell(#"printf 'a\0\314\201b\n' | kith chat Bob"#).code == 1)
            #expect(try await ann.run("status", "--json").objects.first?["queued"] as? Int == 0)
        }
    }
}
