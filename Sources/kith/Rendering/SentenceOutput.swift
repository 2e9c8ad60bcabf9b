import ArgumentParser
import KithClient

extension StandardStream {
    /// Writes a sentence in brackets, in a separate line.
    func say(_ sentence: Sentence) { write("[\(SafeText.oneLine(sentence.description))]\n") }
}

extension Failure {
    /// Creates a failure from a sentence, which may contain other people's text.
    init(_ sentence: Sentence, code: ExitCode = .failure) { self.init(message: sentence.description, code: code) }
}
