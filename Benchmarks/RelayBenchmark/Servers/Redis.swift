import Foundation

/// Redis with streams. Each append is synced to disk before Redis answers (`appendfsync always`). Because it runs without TLS,
/// its figures are an upper bound, and it is not a peer.
struct Redis: MessageServer {
    let process: ChildProcess
    let endpoint: Endpoint

    init(data: String) throws {
        guard let path = Tool.find("redis-server") else { throw ServerFailure("redis-server is not installed") }
        let port = try Loopback.freePort()
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        process = try ChildProcess(
            path,
            [
                "--port", "\(port)", "--bind", "127.0.0.1", "--dir", data, "--save", "", "--appendonly", "yes",
                "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0",
            ])
        try Loopback.waitForListener(on: port)
        endpoint = Endpoint(port: port, security: .plain)
    }

    func load(_ role: LoadRole, of pair: Pair, payloadSize: Int, tally: Tally) -> any LoadProtocol {
        RedisLoad(role, key: pair.name, payloadSize: payloadSize, tally: tally)
    }
}
