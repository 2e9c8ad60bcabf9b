import ArgumentParser
import KithClient

/// The option that skips the question before an irreversible change.
struct Consent: ParsableArguments {
    @Flag(name: .long, help: "Skip the question whether you are sure.")
    var yes = false

    /// Asks the person at the terminal. Without a terminal, a script runs the command, so there is no question.
    ///
    /// - Throws: ``ExitCode/interrupted`` if the answer is not yes.
    func get(_ question: Sentence) async throws {
        guard !yes, let prompt = Prompt() else { return }
        defer { prompt.close() }
        guard try await prompt.decide(question) == .yes else {
            StandardStream.error.say("not done")
            throw ExitCode.interrupted
        }
    }
}
