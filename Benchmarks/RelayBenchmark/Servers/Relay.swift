import Foundation

/// A Kith relay.
struct Relay: MessageServer {
    let process: ChildProcess
    let endpoint: Endpoint
    let data: String
    /// The time from the start of the program until it prints that it listens.
    let startup: Duration

    enum Kind {
        /// The limits for strangers are lifted, because the whole load comes from one address, and without pauses.
        case lenient
        /// The limits are the default ones.
        case strict(onProcessor: Int)
    }

    /// - Parameter data: the relay's folder, created if it does not exist.
    init(_ bench: Bench, data: String, kind: Kind = .lenient) throws {
        var arguments = ["relay", "--listen", "127.0.0.1:0", "--data", data, "--json"]
        if case .lenient = kind {
            let rates = [
                "requests-per-second", "request-burst", "address-requests-per-second", "address-request-burst",
                "address-mib-per-day", "address-channels-per-day",
            ]
            for limit in rates { arguments += ["--limit", "\(limit)=\(UInt32.max)"] }
            arguments += ["--limit", "connections-per-address=100000"]
        }
        if let threads = bench.options.threads { arguments += ["--threads", "\(threads)"] }
        if bench.options.memory { arguments.append("--memory") }
        let clock = ContinuousClock()
        let start = clock.now
        process =
            if case .strict(let processor) = kind {
                try ChildProcess(pinned: bench.options.kithPath, arguments, to: processor)
            } else {
                try ChildProcess(bench.options.kithPath, arguments)
            }
        let line = try process.readLine(within: 20)
        startup = clock.now - start
        struct Listening: Decodable { let address: String }
        let listening = try JSONDecoder().decode(Listening.self, from: Data(line.utf8))
        guard let port = listening.address.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw ServerFailure("the relay listens on no port")
        }
        endpoint = Endpoint(port: port)
        self.data = data
    }

    func load(_ role: LoadRole, of pair: Pair, payloadSize: Int, tally: Tally) -> any LoadProtocol {
        KithLoad(role, channel: pair.channel, payloadSize: payloadSize, tally: tally)
    }
}
