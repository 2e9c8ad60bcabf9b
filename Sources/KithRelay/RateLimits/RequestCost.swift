import KithWire

extension Request {
    /// The cost of the request, as a multiple of the cost of an append. The cost of the request's bytes is not included. The
    /// values are rough measurements. A request that needs its own commit or signature check takes as long as a dozen requests
    /// that share a commit.
    var cost: Int {
        switch self {
        case .append, .turn, .whisper, .ping, .hello, .unfollow: 1
        case .present, .follow: 2
        case .lookup: 4
        case .deposit, .withdraw, .trim: 8
        case .create, .close, .register, .createBlob: 16
        }
    }
}
