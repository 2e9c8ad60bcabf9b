/// `openssl s_server`, a server for TLS alone, which serves one connection after another. With `-www`, the program does not
/// read its standard input.
struct OpenSSLServer: BenchServer {
    let process: ChildProcess
    let endpoint: Endpoint

    init(_ certificate: Certificate) throws {
        guard let path = Tool.find("openssl") else { throw ServerFailure("openssl is not installed") }
        let port = try Loopback.freePort()
        process = try ChildProcess(
            path,
            [
                "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate.certificateFile, "-key",
                certificate.keyFile, "-tls1_3", "-www", "-quiet",
            ])
        try Loopback.waitForListener(on: port)
        endpoint = Endpoint(port: port).offering([.x25519])
    }
}
