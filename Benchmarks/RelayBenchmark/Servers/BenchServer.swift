/// A server that is started for one measurement and gets the load.
protocol BenchServer: Sendable {
    var process: ChildProcess { get }
    var endpoint: Endpoint { get }
}

/// A server that carries messages from one connection to another.
protocol MessageServer: BenchServer {
    /// Creates the load for one end of a pair.
    func load(_ role: LoadRole, of pair: Pair, payloadSize: Int, tally: Tally) -> any LoadProtocol
}

/// A sending and a receiving connection. The messages pass through a topic or stream with the pair's name, or through the
/// pair's Kith channel.
struct Pair: Sendable {
    let name: String
    let channel = LoadChannel()
}

/// The kinds of message server, each started with an empty store.
enum MessageServerKind: String, CaseIterable, Sendable {
    case kith, mosquitto, redis

    var isInstalled: Bool {
        switch self {
        case .kith: true
        case .mosquitto: Tool.find("mosquitto") != nil
        case .redis: Tool.find("redis-server") != nil
        }
    }

    func start(_ bench: Bench) throws -> any MessageServer {
        let store = bench.workspace.path(rawValue)
        return switch self {
        case .kith: try Relay(bench, data: store)
        case .mosquitto: try Mosquitto(bench, data: store)
        case .redis: try Redis(data: store)
        }
    }
}
