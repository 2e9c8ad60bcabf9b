import KithWire
import NIOHTTP1

extension BlobError {
    /// The blob's state, from which the client can continue its upload; `nil` unless the error is ``wrongOffset(_:)``.
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
