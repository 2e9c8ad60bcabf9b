import ArgumentParser
import Foundation

/// `kith demo`: shows the whole system at work in one terminal.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "See it work: a relay and three people, in one terminal.",
        discussion: """
            Starts a relay and the programs of three people as processes, with real TLS and with profiles in a temporary \
            folder. Shows an invite, a conversation, a group, a member who is away while the relay is killed and \
            restarted, and a removal. Checks everything it shows, searches the relay's files for the messages, and \
            leaves nothing behind.

            EXAMPLES
              kith demo                          watch, for half a minute
              kith demo --classic                the original system: RSA, AES-CBC, HMAC
              kith demo --classic --explain      also the attack that each step prevents
              kith demo --classic --interactive  be one of the two

            EXIT CODES
              0  every check passed
              1  error, or a check failed
              64  wrong usage
            """)

    @Flag(name: .long, help: "Show the classic session instead.")
    var classic = false

    @Flag(name: .long, help: "With --classic: be one of the two yourself.")
    var interactive = false

    @Flag(name: .long, help: "With --classic: name the attack that each step prevents.")
    var explain = false

    func validate() throws {
        if !classic, interactive || explain { throw ValidationError("--interactive and --explain go with --classic.") }
    }

    func run() async throws {
        try await reportingFailure {
            signal(SIGPIPE, SIG_IGN)
            let stage = try DemoStage()
            stage.cleanUpOnSignals()
            defer { stage.tearDown() }
            do {
                if interactive {
                    try await InteractiveDemo(stage: stage).run()
                } else if classic {
                    try await Self.withinReason { try await WatchedDemo(stage: stage, explains: explain).run() }
                } else {
                    try await Self.withinReason { try await GroupDemo(stage: stage).run() }
                }
            } catch {
                // A signal has ended the demo's processes and so caused the failure. The signal's handler ends the program.
                while stage.isOver { try? await Task.sleep(for: .seconds(1)) }
                throw error
            }
            if let failure = stage.tearDown() { throw failure }
        }
    }

    /// Runs `work`. If `work` takes too long, ends the demo with an error.
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
            try await Task.sleep(for: .seconds(120))
            end.yield(.failure(Failure(message: "the demo did not finish within two minutes")))
        }
        defer {
            watched.cancel()
            watch.cancel()
        }
        for await result in ends { return try result.get() }
    }
}
