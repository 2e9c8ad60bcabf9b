import ArgumentParser
import ClassicSession
import Foundation
import KithClient

/// What ends a command before it is done: one line for the user, and the exit code.
struct Failure: Error {
    let message: String
    var code: ExitCode = .failure
}

extension ExitCode {
    /// The conversation's connection was cut: no goodbye was said.
    static let cut = ExitCode(2)
    /// Somebody is not who they should be: the relay's key, or the other user's, is another than expected.
    static let wrongKey = ExitCode(3)
    /// The user left before the conversation began.
    static let interrupted = ExitCode(130)
}

/// Runs a command's work and reports what ends it as one line on standard error.
func reportingFailure(_ work: () async throws -> Void) async throws {
    do {
        try await work()
    } catch let error as Failure {
        StandardStream.error.write("kith: \(SafeText.oneLine(error.message))\n")
        throw error.code
    } catch let code as ExitCode {
        throw code
    } catch let error as RelayConnectionError {
        StandardStream.error.write("kith: \(SafeText.oneLine(error.description))\n")
        if case .pinMismatch = error { throw ExitCode.wrongKey }
        throw ExitCode.failure
    } catch {
        StandardStream.error.write("kith: \(SafeText.oneLine("\(error)"))\n")
        throw ExitCode.failure
    }
}
