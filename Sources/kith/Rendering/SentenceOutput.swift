import ArgumentParser
import KithClient

extension StandardStream {
    /// Writes a sentence in brackets, as a separate line.
    func say(_ sentence: Sentence) { write("[\(SafeText.oneLine(sentence.description))]\n") }
}

extension Failure {
    /// Creates a failure from a sentence. The sentence may contain other people's text.
    init(_ sentence: Sentence, code: ExitCode = .failure) { self.init(message: sentence.description, code: code) }
}
