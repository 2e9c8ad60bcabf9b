import Foundation

/// The classic demo in which the user is one of the two people.
struct InteractiveDemo {
    let stage: DemoStage
    private let printer = DemoPrinter()

    init(stage: DemoStage) { self.stage = stage }

    func run() async throws {
        printer.line(Colour.bold.paint("Kith demo: you are Alice", if: printer.colours))
        printer.paragraph(
            "A relay starts, and Bob, a program that answers every message, connects to it. Type and press Enter. Ctrl-D "
                + "says goodbye and ends the demo.")
        printer.line()
        let relay = try await DemoRelay(on: stage)
        let bob = try ClassicPerson("bob", talkingTo: "alice", through: relay, on: stage)
        let answering = Task { try await Self.answer(as: bob) }
        defer { answering.cancel() }

        // During the conversation, the conversation handles ctrl-C.
        stage.leaveSignals()
        let alice = try ClassicCommand.parse([
            "--relay", relay.address.description, "--pin", relay.pin.description, "--id", "alice", "--peer", "bob",
        ])
        try await alice.run()

        printer.heading("What the relay has of all this")
        printer.quote(try await relay.audit(), atMost: 40)
        await relay.stop()
    }

    /// Plays the other person, Bob.
    private static func answer(as bob: ClassicPerson) async throws {
        _ = try await bob.event("established")
        try bob.say("Hi! I am a program. Say something, and I'll tell you what arrived.")
        while true {
            guard let event = try await bob.events(until: "message", "dropped", "ended").last, event.event != "ended"
            else { return }
            if event.event == "message", let text = event.text {
                try bob.say("“\(text)”, \(text.count) characters, verified. The relay saw none of them.")
            }
        }
    }
}
