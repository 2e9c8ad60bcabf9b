import ArgumentParser
import KithClient

extension StandardStream {
    /// Writes a sentence in brackets, on a line of its own.
    func say(_ sentence: Sentence) { write("[\(SafeText.oneLine(sentence.description))]\n") }
}

extension Failure {
    /// A failure whose message contains foreign text.
    init(_ sentence: Sentence, code: ExitCode = .failure) { self.init(message: sentence.description, code: code) }
}
