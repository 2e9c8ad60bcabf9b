import ArgumentParser
import KithClient

/// The option to skip the question before an irreversible change.
struct Consent: ParsableArguments {
    @Flag(name: .long, help: "Skip the question whether you are sure.")
    var yes = false

    /// Asks the person at the terminal. A script has no terminal and is not asked.
    ///
    /// - Throws: ``ExitCode/interrupted`` unless the answer is yes.
    func get(_ question: Sentence) async throws {
        guard !yes, let prompt = Prompt() else { return }
        defer { prompt.close() }
        guard try await prompt.decide(question) == .yes else {
            StandardStream.error.say("not done")
            throw ExitCode.interrupted
        }
    }
}
