import ArgumentParser
import KithClient

/// Whether a command may do what can't be undone.
struct Consent: ParsableArguments {
    @Flag(name: .long, help: "Do not ask whether you are sure.")
    var yes = false

    /// Asks the person at the terminal. A script has said what it wants.
    ///
    /// - Throws: ``ExitCode/interrupted`` unless the answer is a yes.
    func get(_ question: Sentence) async throws {
        guard !yes, let prompt = Prompt() else { return }
        defer { prompt.close() }
        guard try await prompt.decide(question) == .yes else {
            StandardStream.error.say("not done")
            throw ExitCode.interrupted
        }
    }
}
