import Foundation

/// The classic demo that runs by itself.
struct WatchedDemo {
    let stage: DemoStage
    let explains: Bool
    private let printer = DemoPrinter()

    init(stage: DemoStage, explains: Bool) {
        self.stage = stage
        self.explains = explains
    }

    func run() async throws {
        printer.line(Colour.bold.paint("Kith demo: the classic session", if: printer.colours))
        printer.paragraph(
            "Alice and Bob talk through a relay that they need not trust. Everything here is real: three processes, TLS, "
                + "keys made just now. It takes a few seconds and leaves nothing behind.")

        printer.heading("1. A relay starts, and Alice and Bob connect to it")
        let relay = try await DemoRelay(on: stage)
        printer.paragraph(
            "The relay listens on \(relay.address). Its key has the pin \(relay.pin), by which both clients know it.")
        let alice = try ClassicPerson("alice", talkingTo: "bob", through: relay, on: stage)
        let bob = try ClassicPerson("bob", talkingTo: "alice", through: relay, on: stage)

        printer.heading("2. They authenticate each other and agree on keys")
        let (alicesSteps, bobsSteps) = try await handshake(alice, bob)
        printer.table(("What Alice's program does", alicesSteps), ("What Bob's program does", bobsSteps))

        printer.heading("3. They talk")
        let words = try await talk(alice, bob)

        printer.heading("4. What the relay has of all this")
        printer.paragraph("This is what `kith relay audit` prints of the relay's store:")
        printer.line()
        printer.quote(try await relay.audit(), atMost: 40)
        printer.line()
        guard !words.contains(where: relay.holds) else {
            throw Failure(message: "the relay's files contain the text of a message, which must not happen")
        }
        printer.paragraph(
            "The longer entries at the beginning are the handshake: ids, public keys, nonces and signatures, of which none "
                + "is secret, and wrapped keys. The rest is what was said, encrypted. None of the words is anywhere in "
                + "the relay's files; this demo has just searched them.")

        printer.heading("5. An attacker tampers with a message")
        try await tamper(alice, bob, relay)

        printer.heading("6. They say goodbye")
        try await sayGoodbye(alice, bob, relay)
        printer.line()
        printer.paragraph(
            "That was the classic session, the system Kith grew from. It has no forward secrecy; everyday chat uses MLS "
                + "(`kith demo`). Try it yourself: `kith demo --classic --interactive`, or `kith help classic`.")
    }

    private func handshake(
        _ alice: ClassicPerson, _ bob: ClassicPerson
    ) async throws -> ([SideBySide.Cell], [SideBySide.Cell]) {
        async let alicesEvents = alice.events(until: "established")
        async let bobsEvents = bob.events(until: "established")
        let (one, other) = try await (alicesEvents, bobsEvents)
        guard let first = one.last?.session, first == other.last?.session, one.last?.ownKey == other.last?.peerKey,
            one.last?.peerKey == other.last?.ownKey
        else { throw Failure(message: "the two did not arrive at the same session") }
        return (cells(one), cells(other))
    }

    private func cells(_ events: [ClassicPerson.Event]) -> [SideBySide.Cell] {
        events.compactMap { event in
            guard event.event == "explained", let step = event.step, step != "limits", let text = event.text else {
                return nil
            }
            let action = event.action.map { "\($0): " } ?? ""
            let against = explains ? event.against.map { " \($0)" } ?? "" : ""
            return SideBySide.Cell(topic: step, text: SafeText.oneLine(action + text + against))
        }
    }

    private static let conversation: [(byAlice: Bool, text: String)] = [
        (true, "Hi Bob! Can the relay read this?"),
        (false, "No. It sees that we talk, when and how much, but not what. 🙂"),
        (true, "And in other scripts? 两个人,一个频道"),
        (false, "Никакой разницы: it is all noise to the relay."),
    ]

    /// Exchanges messages, and returns their texts.
    private func talk(_ alice: ClassicPerson, _ bob: ClassicPerson) async throws -> [String] {
        for (byAlice, text) in Self.conversation {
            try await say(text, from: byAlice ? alice : bob, to: byAlice ? bob : alice)
        }
        return Self.conversation.map(\.text)
    }

    private func say(_ text: String, from speaker: ClassicPerson, to listener: ClassicPerson) async throws {
        try speaker.say(text)
        let message = try await listener.event("message")
        guard message.text == text, message.verified == true else {
            throw Failure(message: "\(listener.name) did not get what \(speaker.name) said")
        }
        printer.screen(of: listener.name, "\(speaker.name) (verified) : \(text)")
    }

    private func tamper(_ alice: ClassicPerson, _ bob: ClassicPerson, _ relay: DemoRelay) async throws {
        try await say("Shall we meet at six?", from: alice, to: bob)
        printer.line()
        printer.paragraph(
            "Mallory knows both names, and so can find their channel and write to it. As a third client of the relay, "
                + "Mallory now copies the entry with Alice's last message, gives it the number of her next one, flips one "
                + "bit of its ciphertext, and appends it to the channel.")
        let (original, copy) = try await Meddler("alice", "bob").tamper(through: relay.address, relay.pin)
        printer.paragraph("Entry \(copy) is now an altered copy of entry \(original). Bob's program receives it:")
        printer.line()
        let dropped = try await bob.event("dropped")
        guard let reason = dropped.reason, reason.contains("altered") else {
            throw Failure(message: "the altered copy was not recognised")
        }
        printer.screen(of: "bob", "alice: [\(reason)]", .red)
        printer.line()
        printer.paragraph(
            "Caught: without the key Mallory can't make the message's code (an HMAC) match, so nothing of it is "
                + "decrypted or shown. The conversation goes on:")
        printer.line()
        try await say("Six it is.", from: bob, to: alice)
    }

    private func sayGoodbye(_ alice: ClassicPerson, _ bob: ClassicPerson, _ relay: DemoRelay) async throws {
        alice.leave()
        let ended = try await bob.event("ended")
        guard ended.ending == "goodbye" else { throw Failure(message: "Alice's goodbye did not arrive") }
        printer.screen(of: "bob", "[alice said goodbye]")
        printer.line()
        printer.paragraph(
            "The goodbye is authenticated like a message, so a cut connection can't pass for one.")
        for person in [alice, bob] {
            guard await person.exitCode() == 0 else {
                throw Failure(message: "the program of \(person.name) failed at its end")
            }
        }
        await relay.stop()
    }
}
