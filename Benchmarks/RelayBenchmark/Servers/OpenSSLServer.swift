/// `openssl s_server`: one connection after another, nothing but TLS. With `-www` it reads no input of its own.
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
