import ArgumentParser
import KithClient

/// The option that skips the question before an irreversible change.
struct Consent: ParsableArguments {
    @Flag(name: .long, help: "Skip the question whether you are sure.")
    var yes = false

    /// Asks the person at the terminal. If there is no terminal, returns without a question, because a script runs the command.
    ///
    /// - Parameter refusal: a sentence about the change that was not made, printed if the answer is not yes.
    /// - Throws: ``ExitCode/interrupted`` if the answer is not yes.
    func get(_ question: Sentence, otherwise refusal: Sentence) async throws {
        guard !yes, let prompt = Prompt() else { return }
        defer { prompt.close() }
        guard try await prompt.decide(question) == .yes else {
            StandardStream.error.say("\(refusal); the same command asks again, and --yes skips the question")
            throw ExitCode.interrupted
        }
    }
}
