import KithWire

extension Request {
    /// The cost of the request beside its bytes, in appends: about as measured. One that goes to the disk for
    /// itself, or has a signature verified, takes as long as a dozen that share a commit.
    var cost: Int {
        switch self {
        case .append, .turn, .whisper, .ping, .hello, .unfollow: 1
        case .present, .follow: 2
        case .lookup: 4
        case .deposit, .withdraw, .trim: 8
        case .create, .close, .register: 16
        }
    }
}
