import KithWire
import NIOHTTP1

extension BlobError {
    /// The state of the blob if the error is ``wrongOffset(_:)``, otherwise `nil`. From this state, the client can continue the
    /// upload.
    var status: BlobStatus? {
        if case .wrongOffset(let status) = self { status } else { nil }
    }
}

extension HTTPResponseStatus {
    init(_ error: BlobError) {
        switch error {
        case .denied: self = .notFound
        case .exists, .wrongOffset, .superseded: self = .conflict
        case .tooLong: self = .payloadTooLarge
        case .full, .failed(.full): self = .insufficientStorage
        case .failed: self = .serviceUnavailable
        }
    }
}
