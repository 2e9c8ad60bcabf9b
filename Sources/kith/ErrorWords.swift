import Foundation
import KithClient
import NIOCore

/// The words for whatever can end a command. The only place that turns an error into text for the user.
enum ErrorWords {
    /// The modules whose errors describe themselves in a sentence for the user.
    private static let modules = ["kith", "KithClient", "KithRelay", "ClassicSession"]

    /// One sentence, without a full stop: never an error of the system or of a library as it came.
    static func sentence(for error: any Error) -> String {
        switch error {
        case let error as Failure: error.message
        case let error as KithError: error.sentence
        case let error as IOError: SystemError(error.errnoCode).sentence
        case let error as any CustomStringConvertible where isOwn(error): error.description
        default: foreign(error)
        }
    }

    private static func isOwn(_ error: Any) -> Bool {
        let type = String(reflecting: type(of: error))
        return modules.contains { type.hasPrefix("\($0).") }
    }

    /// Errors of Foundation carry the system's number and the file's path; of others, only the kind is known.
    private static func foreign(_ error: any Error) -> String {
        let error = error as NSError
        let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError
        let path = (error.userInfo[NSFilePathErrorKey] as? String).map { "\($0): " } ?? ""
        for candidate in [error, underlying].compactMap({ $0 }) where candidate.domain == NSPOSIXErrorDomain {
            return path + SystemError(Int32(clamping: candidate.code)).sentence
        }
        if error.domain == NSCocoaErrorDomain, let code = numbers[CocoaError.Code(rawValue: error.code)] {
            return path + SystemError(code).sentence
        }
        return "\(path)something failed inside Kith; please report it (\(error.domain), \(error.code))"
    }

    private static let numbers: [CocoaError.Code: Int32] = [
        .fileNoSuchFile: ENOENT, .fileReadNoSuchFile: ENOENT, .fileReadNoPermission: EACCES,
        .fileWriteNoPermission: EACCES, .fileWriteFileExists: EEXIST, .fileWriteOutOfSpace: ENOSPC,
        .fileWriteVolumeReadOnly: EROFS, .fileReadTooLarge: EFBIG,
    ]
}
