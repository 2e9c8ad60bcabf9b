import Foundation
import KithClient
import KithWire

/// The demo of a group: three people, a relay that is killed, and a removed member. It checks everything that it shows.
struct GroupDemo {
    private static let group = "reading circle"

    private let stage: DemoStage
    private let printer = DemoPrinter()
    private let alice: DemoPerson
    private let bob: DemoPerson
    private let carol: DemoPerson

    init(stage: DemoStage) {
        self.stage = stage
        alice = DemoPerson("alice", .green, on: stage, printer: printer)
        bob = DemoPerson("bob", .cyan, on: stage, printer: printer)
        carol = DemoPerson("carol", .yellow, on: stage, printer: printer)
    }

    func run() async throws {
        printer.line(Colour.bold.paint("Kith demo", if: printer.colours))
        printer.paragraph(
            "Three people talk through a relay that they need not trust. Everything here is real: a process for each, "
                + "TLS, MLS with post-quantum keys, profiles on the disk. What follows $ is a command, what follows » a "
                + "message that is typed, and what follows │ is on that person's screen.")

        printer.heading("1. A relay, and an invite")
        let relay = try await DemoRelay(on: stage)
        printer.paragraph("A relay starts on \(relay.address). Nobody has an account there, and nobody gets one.")
        for person in [alice, bob, carol] {
            try await person.run(["init", "--yes", "--no-passphrase", "--name", person.name], shown: nil)
        }
        try await meet(bob, ["--relay", relay.address.description])

        printer.heading("2. Two people talk")
        var said = try await talk()

        printer.heading("3. A third person, and a group")
        said += try await makeGroup()

        printer.heading("4. Carol goes away, and the relay loses power")
        let missed = try await survive(relay)
        said += missed

        printer.heading("5. Carol is back")
        try await carol.open(Self.group)
        try await carol.see(inOrder: missed.map { "alice (verified) : \($0)" })
        printer.paragraph("All \(missed.count), once each and in order.")

        printer.heading("6. Carol is removed")
        said.append(try await remove(relay))

        printer.heading("7. What the relay has of all this")
        for person in [alice, bob, carol] { try await person.close() }
        try await inspect(relay, said)
        await relay.stop()
        printer.line()
        printer.paragraph("Now you: `kith host` on one machine, `kith join` on another. `kith help` lists the rest.")
    }

    // MARK: Scenes

    /// Lets Alice invite a person. The person joins. Prints the beginning of the invite.
    ///
    /// - Parameter place: the arguments that choose the relay for the first invite. Later invites use the same relay.
    private func meet(_ person: DemoPerson, _ place: [String] = []) async throws {
        let arguments = ["invite", "--wait"] + place
        let invite = try alice.start(arguments, shown: arguments.joined(separator: " "))
        invite.endInput()
        var line = await invite.nextLine()
        while let text = line, !text.hasPrefix("kith:") { line = await invite.nextLine() }
        guard let line else { throw Failure(message: "alice got no invite") }
        let short = "\(line.prefix(30))…"
        alice.show("│", "\(short) (one line, for one person)")
        try await person.run(["join", "--no-chat", "--yes", line], shown: "join \(short)")
        var used: String?
        while let text = await invite.nextLine() { if text.contains("used it") { used = text } }
        guard await invite.exitCode(within: 10) == 0, let used, used.hasPrefix("[\(person.name) used it") else {
            throw Failure(message: "alice did not learn that \(person.name) joined")
        }
        alice.show("│", "[\(person.name) used it]")
    }

    /// Exchanges messages, and returns their texts.
    private func talk() async throws -> [String] {
        try await alice.open("bob")
        try await bob.open("alice")
        try await alice.see(beginning: "[bob is online")
        try await bob.see(beginning: "[alice is online")
        let said = ["Hi Bob! Can the relay read this?", "It sees when and how much, and not a word. 🙂 两个人，一个频道"]
        try alice.say(said[0])
        try await bob.see("alice (verified) : \(said[0])")
        try bob.say(said[1])
        try await alice.see("bob (verified) : \(said[1])")
        try await alice.close()
        try await bob.close()
        return said
    }

    private func makeGroup() async throws -> [String] {
        try await meet(carol)
        let said = ["Here I am.", "Bob, this is Carol. Carol, Bob.", "Hello you two!", "Welcome!"]
        try await alice.open("carol", isShown: false)
        try await carol.open("alice", isShown: false)
        try carol.say(said[0])
        try await alice.see("carol (verified) : \(said[0])")
        try await alice.close()
        try await carol.close()
        printer.line()
        try await alice.run(
            ["group", "create", Self.group, "bob", "carol"], shown: "group create \"\(Self.group)\" bob carol")
        for person in [alice, bob, carol] { try await person.open(Self.group, isShown: false) }
        try alice.say(said[1])
        try await bob.see("alice (verified) : \(said[1])")
        try await carol.see("alice (verified) : \(said[1])")
        try carol.say(said[2])
        try await alice.see("carol (verified) : \(said[2])")
        try await bob.see("carol (unverified) : \(said[2])")
        try bob.say(said[3])
        try await carol.see("bob (unverified) : \(said[3])")
        printer.paragraph("Bob and Carol know each other through Alice only, until they compare numbers: kith verify.")
        return said
    }

    /// Kills and restarts the relay. Returns the messages that Carol missed.
    private func survive(_ relay: DemoRelay) async throws -> [String] {
        try await carol.close()
        carol.show("│", "(away)")
        let said = ["Chapter three for Thursday.", "Is the relay still there?", "It is again."]
        try alice.say(said[0])
        try await bob.see("alice (verified) : \(said[0])")
        relay.kill()
        printer.paragraph("kill -9: the relay is gone in the middle of it.")
        try alice.say(said[1])
        try await relay.startAgain()
        printer.paragraph("The relay starts again, with what is on its disk. Alice's message goes out by itself:")
        try await bob.see("alice (verified) : \(said[1])")
        try alice.say(said[2])
        try await bob.see("alice (verified) : \(said[2])")
        return said
    }

    /// Removes Carol. Returns the message that was sent after her removal.
    private func remove(_ relay: DemoRelay) async throws -> String {
        try await carol.close()
        let copy = stage.folder.appendingPathComponent("copy")
        try FileManager.default.copyItem(at: carol.home.appendingPathComponent("default"), to: copy)
        let thief = RemovedMember(profile: copy)
        guard try await thief.attempts(epochs: 0...0) == [nil] else {
            throw Failure(message: "a copy of a member's profile was not let in while she was one")
        }
        try await carol.open(Self.group, isShown: false)
        try await alice.close()
        try await alice.run(["group", "remove", Self.group, "carol"], shown: "group remove \"\(Self.group)\" carol")
        try await carol.see("[alice removed you from this conversation]")
        try await bob.see("[alice removed carol]")
        try await alice.open(Self.group, isShown: false)
        let said = "Between the two of us: the surprise is on Friday."
        try alice.say(said)
        try await bob.see("alice (verified) : \(said)")
        let attempts = try await thief.attempts(epochs: 1...3)
        guard attempts.count == 3, attempts.allSatisfy({ $0 == .denied }) else {
            throw Failure(message: "the relay let a removed member in")
        }
        printer.paragraph(
            "This demo kept a copy of Carol's whole profile, and has just presented it to the relay. While she was a "
                + "member it was let in; now it is denied. It can't even fetch messages, which it could not decrypt anyway."
        )
        return said
    }

    private func inspect(_ relay: DemoRelay, _ said: [String]) async throws {
        let rows = try await relay.audit()
        let entries = rows.filter { $0.hasPrefix("  entry ") }
        let channels = rows.count { $0.hasPrefix("channel ") }
        printer.paragraph("Its whole store, as `kith relay audit` prints it, of which these are the last entries:")
        printer.line()
        printer.quote(entries.suffix(3).map { "\($0.drop { $0 == " " }.prefix(150))…" }, atMost: 3)
        printer.line()
        printer.paragraph(
            "\(channels) channels, \(entries.count) entries: their sizes, their times, hashes of tokens, and noise. No "
                + "accounts, no names, no list of who is in which group.")
        let wanted = said + [Self.group]
        let found = wanted.count { relay.holds($0) }
        guard found == 0, !entries.isEmpty else {
            throw Failure(message: "the relay's files contain \(found) of the texts, which must not happen")
        }
        printer.paragraph(
            "All of its files were searched for the \(said.count) messages and the group's name: \(found) found.",
            .green)
    }
}
