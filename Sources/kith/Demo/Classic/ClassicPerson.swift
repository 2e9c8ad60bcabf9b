import Foundation

/// A person in the classic demo. The person runs `kith classic` in a separate process.
final class ClassicPerson: Sendable {
    let name: String
    private let process: DemoProcess

    init(_ name: String, talkingTo peer: String, through relay: DemoRelay, on stage: DemoStage) throws {
        self.name = name
        process = try stage.start(
            name,
            [
                "classic", "--relay", relay.address.description, "--pin", relay.pin.description, "--id", name, "--peer",
                peer,
                "--json", "--explain",
            ])
    }

    /// An event of the program, with the fields that the demo needs.
    struct Event: Decodable, Sendable {
        let event: String
        let action: String?
        let against: String?
        let ending: String?
        let ownKey: String?
        let peerKey: String?
        let reason: String?
        let session: String?
        let step: String?
        let text: String?
        let verified: Bool?
    }

    /// Returns the program's events up to and including the first event of the given kinds.
    ///
    /// - Throws: ``Failure`` if the program ends before such an event.
    func events(until kinds: String...) async throws -> [Event] {
        var events: [Event] = []
        while let line = await process.nextLine() {
            guard let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) else {
                continue
            }
            events.append(event)
            if kinds.contains(event.event) { return events }
        }
        let reason = process.lastComplaint.map { ": \($0)" } ?? ""
        throw Failure(message: "the program of \(name) ended too early\(reason)")
    }

    /// Returns the next event of this kind.
    func event(_ kind: String) async throws -> Event {
        guard let event = try await events(until: kind).last else {
            throw Failure(message: "the program of \(name) ended too early")
        }
        return event
    }

    func say(_ text: String) throws { try process.write(text) }

    /// Ends the input. As after ctrl-D, the program then says goodbye.
    func leave() { process.endInput() }

    func exitCode() async -> Int32? { await process.exitCode(within: 5) }
}
