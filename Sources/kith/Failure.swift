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
    /// The relay can't be reached, or what was waited for did not come in time.
    static let notInTime = ExitCode(4)
    /// Another process has the profile open.
    static let inUse = ExitCode(5)
    /// The relay has no room: what was to be sent is kept and goes out later.
    static let noRoom = ExitCode(6)
    /// The user left before the conversation began.
    static let interrupted = ExitCode(130)
}

/// Runs a command's work, and reports what ends it as one line on standard error. A command whose output could not be written
/// as a whole has failed.
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
    /// What to tell the user of this program: with the command that helps, where one does.
    var sentence: String {
        switch self {
        case .noProfile: "there is no profile yet; make one with: kith init"
        case .profileExists: "there is a profile already (kith status shows it)"
        case .notFound(let name): "nobody and nothing goes by the name \(name) here (kith list)"
        case .keyChanged(let contact, _, _): "\(self). Compare with \(contact), then: kith verify \(contact)"
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
