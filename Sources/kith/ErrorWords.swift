import ClassicSession
import Foundation
import KithClient
import KithRelay
import KithSupport
import NIOCore
import PrivateFiles

/// An error of Kith whose description is a sentence for the user.
///
/// The errors of Kith's libraries that can end a command conform to this protocol below. The description of any other error is
/// not shown.
protocol DescribedError: Error, CustomStringConvertible {}

extension BackupError: DescribedError {}
extension ClassicIDError: DescribedError {}
extension ClassicIdentityError: DescribedError {}
extension ClassicSendError: DescribedError {}
extension FingerprintError: DescribedError {}
extension InviteError: DescribedError {}
extension KeyRefusal: DescribedError {}
extension PrivateFileError: DescribedError {}
extension RelayConnectionError: DescribedError {}
extension RelayIdentity.Failure: DescribedError {}
extension RelayListenError: DescribedError {}
extension StoreError: DescribedError {}
extension StoreOpenError: DescribedError {}

/// Translates every error that can end a command into a sentence. Only this type translates errors.
enum ErrorWords {
    /// Returns one sentence without a full stop. The sentence never contains the text of a system or library error.
    static func sentence(for error: any Error) -> String {
        switch error {
        case let error as Failure: error.message
        case let error as KithError: error.sentence
        case let error as IOError: SystemError(error.errnoCode).sentence
        case let error as StoreFailure: sentence(for: error)
        case let error as any DescribedError: error.description
        default: foreign(error)
        }
    }

    private static func sentence(for failure: StoreFailure) -> String {
        switch failure {
        case .full: SystemError(ENOSPC).sentence
        case .io(let reason): "the relay's store can't be used: \(reason)"
        case .damaged(let place): "the relay's store is damaged: \(place)"
        }
    }

    /// Describes an error that is not Kith's own. An error of Foundation contains the system's error number and the file's path.
    /// For any other error, only its kind is known.
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
