import Foundation

/// mosquitto with TLS, persistence and no limit that would slow it down. It runs on one thread.
struct Mosquitto: MessageServer {
    let process: ChildProcess
    let endpoint: Endpoint

    /// - Parameter data: the folder of its persistent store, created if it does not exist.
    init(_ bench: Bench, data: String) throws {
        guard let path = Tool.find("mosquitto") else { throw ServerFailure("mosquitto is not installed") }
        let port = try Loopback.freePort()
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let certificate = try bench.certificate()
        let configuration = """
            listener \(port) 127.0.0.1
            certfile \(certificate.certificateFile)
            keyfile \(certificate.keyFile)
            allow_anonymous true
            persistence true
            persistence_location \(data)/
            max_inflight_messages 0
            max_queued_messages 0
            set_tcp_nodelay true
            log_dest none
            user root

            """
        let file = data + "/mosquitto.conf"
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        process = try ChildProcess(path, ["-c", file])
        try Loopback.waitForListener(on: port)
        endpoint = Endpoint(port: port)
    }

    func load(_ role: LoadRole, of pair: Pair, payloadSize: Int, tally: Tally) -> any LoadProtocol {
        let end = if case .sender = role { "s" } else { "r" }
        return MQTTLoad(
            role, topic: "pair/\(pair.name)", client: "\(end)-\(pair.name)", payloadSize: payloadSize, tally: tally)
    }
}
