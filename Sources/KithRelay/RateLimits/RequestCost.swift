import KithWire

extension Request {
    /// The cost of the request in addition to its bytes, in appends, roughly as measured. A request with a commit or a
    /// signature check of its own takes as long as a dozen that share a commit.
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
