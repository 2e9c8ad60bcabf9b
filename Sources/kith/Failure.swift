import ArgumentParser
import ClassicSession
import Foundation
import KithClient

/// An error that ends a command, with one line for the user and an exit code.
struct Failure: Error {
    let message: String
    var code: ExitCode = .failure
}

extension ExitCode {
    /// The connection was cut before a goodbye.
    static let cut = ExitCode(2)
    /// The relay's key or the other person's key is not the expected key.
    static let wrongKey = ExitCode(3)
    /// The relay cannot be reached, or the result did not arrive in time.
    static let notInTime = ExitCode(4)
    /// Another process has opened the profile.
    static let inUse = ExitCode(5)
    /// The relay has no room. This device stores the messages, and sends the messages later.
    static let noRoom = ExitCode(6)
    /// The user has cancelled the command, or left before the conversation began.
    static let interrupted = ExitCode(130)
}

/// Runs a command, and reports its error as one line on standard error. A command also fails if its output could not be written
/// completely.
func reportingFailure(_ work: () async throws -> Void) async throws {
    do {
        try await work()
        if let failure = StandardStream.outputFailure { throw failure }
    } catch let code as ExitCode {
        throw code
    } catch {
        StandardStream.error.write("kith: \(SafeText.oneLine(ErrorWords.sentence(for: error)))\n")
        throw exitCode(for: error)
    }
}

private func exitCode(for error: any Error) -> ExitCode {
    switch error {
    case let error as Failure: error.code
    case RelayConnectionError.pinMismatch: .wrongKey
    case let error as KithError: error.exitCode
    default: .failure
    }
}

extension KithError {
    /// The sentence for the user of this program. If a command helps, the sentence contains that command.
    var sentence: String {
        switch self {
        case .noProfile: "there is no profile yet; make one with kith init"
        case .profileExists: "there is a profile already (kith status shows it)"
        case .notFound(let name): "not found here: \(name) (kith list)"
        case .keyChanged(let contact, _, _): "\(self). Compare keys with \(contact), then use kith verify \(contact)"
        case .blocked(let name):
            "you have blocked \(ForeignText(name)); unblock with kith contacts unblock \(ForeignText(name))"
        default: description
        }
    }

    var isNotFound: Bool { if case .notFound = self { true } else { false } }

    var exitCode: ExitCode {
        switch self {
        case .inUse: .inUse
        case .keyChanged, .relayKeyChanged, .wrongAccount, .relay(.pinMismatch),
            .conversation(.stopped(_, .wrongAccount)):
            .wrongKey
        case .relay(.unreachable), .relay(.closed), .keyPackageNotCurrent: .notInTime
        default: .failure
        }
    }
}
