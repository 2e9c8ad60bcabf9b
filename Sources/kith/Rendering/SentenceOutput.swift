import ArgumentParser
import KithClient

extension StandardStream {
    /// Writes a sentence about what happens as a row of its own, in brackets.
    func say(_ sentence: Sentence) { write("[\(SafeText.oneLine(sentence.description))]\n") }
}

extension Failure {
    /// A failure whose message has foreign text in it.
    init(_ sentence: Sentence, code: ExitCode = .failure) { self.init(message: sentence.description, code: code) }
}
