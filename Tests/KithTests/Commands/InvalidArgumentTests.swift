import Foundation
import KithWire
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite("Invalid arguments", .timeLimit(.minutes(5)))
struct InvalidArgumentTests {
    @Test("an error about an unknown command suggests a similar one")
    func commands() {
        func problem(_ line: String) -> String? {
            CommandNames.problem(with: line.split(separator: " ").map(String.init))
        }
        #expect(problem("chta bob") == "there is no command kith chta; did you mean kith chat?")
        #expect(problem("help chta") == "there is no command kith chta; did you mean kith chat?")
        #expect(problem("xyzzy") == "there is no command kith xyzzy (kith help)")
        #expect(problem("group xyzzy") == "there is no command kith group xyzzy (kith help group)")
        #expect(problem("group crate team") == "there is no command kith group crate; did you mean kith group create?")
        #expect(problem("relay statsu") == "there is no command kith relay statsu; did you mean kith relay status?")
        for line in [
            "", "help", "help send", "send nobody hello", "relay", "relay --listen x", "contacts --json", "--version",
            "help help", "help relay", "help relay run", "group create chta",
        ] {
            #expect(problem(line) == nil, "\(line)")
        }
    }

    @Test("an unknown topic of the help is an error, also after a command with a default")
    func topics() async throws {
        func problem(_ line: String) -> String? {
            CommandNames.problem(with: line.split(separator: " ").map(String.init))
        }
        #expect(problem("help relay delete") == "there is no command kith relay delete (kith help relay)")
        #expect(problem("help relay drpo") == "there is no command kith relay drpo; did you mean kith relay drop?")
        #expect(problem("help send bob") == "there is no command kith send bob (kith help send)")
        #expect(problem("help relay run x") == "there is no command kith relay run x (kith help relay run)")
        #expect(problem("help help xyzzy") == "there is no command kith xyzzy (kith help)")
        #expect(problem("relay delete --help") == "there is no command kith relay delete (kith help relay)")
        #expect(problem("group help create") == "there is no command kith group help (kith help group)")
        try await withTemporaryFolder { folder in
            let help = try KithProcess(["help", "contacts", "shwo"], folder: folder)
            #expect(await help.exitCode() == 64)
            #expect(
                await help.complaintsLeft()
                    == ["kith: there is no command kith contacts shwo; did you mean kith contacts show?"])
            #expect(await help.rest() == [])
        }
    }

    @Test("an argument or a variable that is not UTF-8 is refused, and nothing is sent or made")
    func notText() async throws {
        #expect(InvalidText.problem(arguments: [Array("ä🙂".utf8), []], variables: [("HOME", [0x2F])]) == nil)
        #expect(
            InvalidText.problem(arguments: [[0x61], [0x62, 0xFF]], variables: [])
                == "argument 2 is not text: it is not UTF-8 (b\u{FFFD}); nothing was done")
        try await withAnnAndBob { ann, bob, _ in
            for command in ["send Ann \"$text\"", "contacts rename Ann \"$text\"", "export \"$text\""] {
                let refused = try await bob.shell(#"text=$(printf 'b\377d'); kith \#(command)"#)
                #expect(refused.code == 64, "\(command)")
                #expect(refused.complaints.count == 1 && refused.complaints[0].contains("it is not UTF-8"))
            }
            let folder = try await bob.shell(#"export KITH_HOME="$(printf "$KITH_HOME/x\377")"; kith status"#)
            #expect(folder.complaints == ["kith: KITH_HOME is not text: it is not UTF-8; nothing was done"])
            let pass = try await bob.shell(
                #"printf 'p\377' > "$KITH_HOME/pass"; chmod 600 "$KITH_HOME/pass"; "#
                    + #"kith relay --listen 127.0.0.1:0 --relay-pass-file "$KITH_HOME/pass""#)
            #expect(pass.code == 1)
            #expect(pass.complaints.last?.hasSuffix("is not UTF-8 text") == true)
            let id = try await bob.shell(#"printf 'b\377b\nann\n' | kith classic --relay 127.0.0.1:1"#)
            #expect(id.code == 64)
            #expect(id.complaints.last == "kith: that is not text: it is not UTF-8")
            _ = try await bob.run("send", "Ann", "good")
            try await ann.hear("good")
            #expect(try await ann.run("history", "Bob", "--json").objects.count { $0["text"] != nil } == 1)
        }
    }

    @Test("an error about a value explains its form")
    func values() {
        func problem<V: ReadableValue>(_ type: V.Type, _ text: String) -> String? {
            do {
                _ = try V.read(text)
                return nil
            } catch { return "\(error)" }
        }
        #expect(problem(RelayAddress.self, "127.0.0.1") == "the port is missing; write HOST:PORT")
        #expect(problem(RelayAddress.self, "h:99999") == "write HOST:PORT, with a port from 1 to 65535")
        #expect(problem(RelayPin.self, "00ff") == "a key has 64 hexadecimal digits, and this has 4")
        #expect(
            problem(Name.self, "Bob X")?.hasPrefix("a name at a relay has at most 64 of the characters a-z") == true)
        for text in ["soon", "5"] {
            #expect(
                problem(DurationArgument.self, text)
                    == "write a number and its unit, as in 90s, 30m, 12h or 7d; at most a century")
        }
        #expect(problem(ListenAddress.self, "7443")?.contains("HOST:PORT") == true)
        #expect(problem(DurationArgument.self, "5m") == nil)
    }

    @Test("an error about an unknown profile names the existing ones")
    func profiles() {
        #expect(
            NoProfile(name: "wrok", others: ["home", "work"]).description
                == "there is no profile wrok; did you mean work?")
        #expect(
            NoProfile(name: "default", others: ["home", "work"]).description
                == "there is no profile default; there are: home, work (--profile NAME)")
        #expect(
            NoProfile(name: "default", others: []).description
                == "there is no profile yet; make one with kith init")
    }

    @Test("an invite of an impossible version counts as damaged")
    func inviteVersions() {
        func line(_ version: UInt8) -> String { "kith:" + Data([version, 1, 2, 3, 4, 5]).base64EncodedString() }
        #expect(throws: InviteError.version(2)) { try Invite(line: line(2)) }
        for version in [0, 1, 9, 129, 255] as [UInt8] {
            #expect(throws: InviteError.incomplete) { try Invite(line: line(version)) }
        }
    }

    @Test("errors name the number, name, address or folder that was typed")
    func answers() async throws {
        try await withAnnAndBob { _, bob, relay in
            #expect(try await bob.run("verify", "#1", "--json").objects.first?["name"] as? String == "Ann")
            let own = try await bob.run("contacts", "show", "Bob")
            #expect(own.code == 1)
            #expect(own.complaints == ["kith: Bob is you; to leave a group: kith group leave GROUP"])
            let status = try await bob.run("relay", "status", "--relay", relay, "--metrics", "127.0.0.1:1")
            #expect(status.complaints == ["kith: 127.0.0.1:1: nothing listens there"])
            for command in [["audit"], ["drop", "--name", "x"]] {
                let missing = try await bob.run(["relay"] + command + ["--data", "/nowhere"])
                #expect(missing.code == 1)
                #expect(missing.complaints == ["kith: there is no relay in /nowhere; --data names another folder"])
            }
            let value = try await bob.run("register", "Bob X")
            #expect(value.code == 64)
            #expect(value.complaints.first?.contains("a name at a relay has at most") == true)
            let other = try await bob.run("list", "--profile", "defualt")
            #expect(other.complaints == ["kith: there is no profile defualt; did you mean default?"])
            let command = try await bob.run("hisotry")
            #expect(command.code == 64)
            #expect(command.complaints == ["kith: there is no command kith hisotry; did you mean kith history?"])
        }
    }
}
