import ArgumentParser
import KithClient

extension Sentence {
    /// The sentence as a line of a command's output, without its line break.
    var inBrackets: String { "[\(SafeText.oneLine(description))]" }
}

extension StandardStream {
    /// Writes a sentence in brackets, as a separate line.
    func say(_ sentence: Sentence) { write(sentence.inBrackets + "\n") }
}

extension Failure {
    /// Creates a failure from a sentence. The sentence may contain other people's text.
    init(_ sentence: Sentence, code: ExitCode = .failure) { self.init(message: sentence.description, code: code) }
}
