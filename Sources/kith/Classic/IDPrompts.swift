import ArgumentParser
import ClassicSession
import Foundation

/// Asks for the ids that are missing on the command line, as the original system did.
struct IDPrompts {
    let lines: LineReader

    /// Returns the given id. If no id is given, asks for one. After an invalid id, a person may try again, but a script fails.
    func id(given: String?, asking question: String, otherThan taken: ClassicID? = nil) async throws -> ClassicID {
        if let given { return try id(given, otherThan: taken) }
        let isPerson = isatty(STDIN_FILENO) == 1
        // If a program reads standard output, the questions go to standard error, so the program gets only the conversation.
        let stream = StandardStream.output.isTerminal ? StandardStream.output : .error
        while true {
            stream.write("\(question) ")
            guard let entered = await lines.nextLine() else {
                stream.write("\n")
                throw ExitCode.interrupted
            }
            if !isPerson { stream.write("\n") }
            do {
                guard entered.isText else {
                    throw Failure(message: "that is not text: it is not UTF-8", code: .validationFailure)
                }
                return try id(entered.text, otherThan: taken)
            } catch let error as Failure {
                guard isPerson else { throw error }
                stream.write("\(SafeText.oneLine(error.message))\n")
            }
        }
    }

    private func id(_ text: String, otherThan taken: ClassicID?) throws -> ClassicID {
        do throws(ClassicIDError) {
            let id = try ClassicID(text)
            if id == taken { throw .sameAsPeer }
            return id
        } catch {
            throw Failure(message: error.description, code: .validationFailure)
        }
    }
}
