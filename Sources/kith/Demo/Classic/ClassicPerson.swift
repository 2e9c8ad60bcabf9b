import Foundation

/// One of the people in the demo: a `kith classic` in a process of its own.
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

    /// What the program reports, up to and with the first event of one of these kinds.
    ///
    /// - Throws: ``Failure`` if the program ends before.
    func events(until kinds: String...) async throws -> [ClassicJSON.Object] {
        var events: [ClassicJSON.Object] = []
        while let line = await process.nextLine() {
            guard let event = try? JSONDecoder().decode(ClassicJSON.Object.self, from: Data(line.utf8)) else {
                continue
            }
            events.append(event)
            if kinds.contains(event.event) { return events }
        }
        let reason = process.lastComplaint.map { ": \($0)" } ?? ""
        throw Failure(message: "the program of \(name) ended too early\(reason)")
    }

    /// The next event of this kind.
    func event(_ kind: String) async throws -> ClassicJSON.Object {
        guard let event = try await events(until: kind).last else {
            throw Failure(message: "the program of \(name) ended too early")
        }
        return event
    }

    func say(_ text: String) throws { try process.write(text) }

    /// Says goodbye, as ctrl-D does.
    func leave() { process.endInput() }

    func exitCode() async -> Int32? { await process.exitCode(within: 5) }
}
