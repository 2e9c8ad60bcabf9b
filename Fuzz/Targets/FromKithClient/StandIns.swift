// `WebSocketUpgrade.swift` and `RelayAddress.swift` in this folder are links into KithClient: building the whole module, with
// the network libraries under it, would take a fuzzing run's time. These are the two names that they need of it.

/// Stands in for the client's limits. The value is checked against the real one by nobody but the corpus: it only decides
/// how long a response may get.
enum ClientLimits {
    static let upgradeResponse = 8 << 10
}

/// Stands in for the client's error.
enum RelayConnectionError {
    enum NotARelay: Error, Hashable {
        case httpStatus(Int)
        case noWebSocket
    }
}
