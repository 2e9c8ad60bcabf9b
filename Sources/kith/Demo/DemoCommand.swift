import ArgumentParser
import Foundation

/// `kith demo`: the whole system at work in one terminal.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "See it work: a relay and two people, in one terminal.",
        discussion: """
            Starts a relay and two clients as processes of their own, lets them authenticate each other and talk over \
            real TLS, shows what each did and what the relay holds, and tampers with a message. Nothing is left behind.

            EXAMPLES
              kith demo                 watch, for a few seconds
              kith demo --explain       also what each step stands against
              kith demo --interactive   be one of the two

            EXIT CODES
              0  everything was as it should be    1  something was not, said in one line    64  wrong usage
            """)

    @Flag(name: .long, help: "Be one of the two yourself.")
    var interactive = false

    @Flag(name: .long, help: "Say of each step what it stands against.")
    var explain = false

    func run() async throws {
        try await reportingFailure {
            signal(SIGPIPE, SIG_IGN)
            let stage = try DemoStage()
            stage.cleanUpOnSignals()
            defer { stage.tearDown() }
            do {
                if interactive {
                    try await InteractiveDemo(stage: stage).run()
                } else {
                    try await Self.withinReason { try await WatchedDemo(stage: stage, explains: explain).run() }
                }
            } catch {
                // Whatever failed did so because its processes were ended. Whoever did that ends the program too.
                while stage.isOver { try? await Task.sleep(for: .seconds(1)) }
                throw error
            }
        }
    }

    /// A demo that hangs says so instead.
    private static func withinReason(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let (ends, end) = AsyncStream.makeStream(of: Result<Void, any Error>.self)
        let watched = Task {
            do {
                try await work()
                end.yield(.success(()))
            } catch {
                end.yield(.failure(error))
            }
        }
        let watch = Task {
            try await Task.sleep(for: .seconds(60))
            end.yield(.failure(Failure(message: "the demo did not finish within a minute")))
        }
        defer {
            watched.cancel()
            watch.cancel()
        }
        for await result in ends { return try result.get() }
    }
}
