/// The timeouts of a connection to a relay. The default values are for the internet. Tests and slow connections use other values.
package struct RelayTimeouts: Sendable {
    /// The timeout for the TCP connection.
    package var connect: Duration
    /// The timeout for TLS and the WebSocket upgrade together. The answer to `hello` has a separate timeout of the same length.
    /// The default is 10 s, which equals the relay's own timeout for a handshake.
    package var handshake: Duration
    /// The timeout for the answer to a request. After the timeout, the client closes the connection, because the relay or the
    /// connection no longer works.
    package var answer: Duration
    /// Time without a request after which a ping is sent. The ping keeps the connection open at the relay and at routers. The
    /// ping also detects a broken connection. If the relay closes idle connections sooner, the client sends the ping sooner.
    package var pingAfter: Duration

    package init(
        connect: Duration = .seconds(10), handshake: Duration = .seconds(10), answer: Duration = .seconds(30),
        pingAfter: Duration = .seconds(60)
    ) {
        self.connect = connect
        self.handshake = handshake
        self.answer = answer
        self.pingAfter = pingAfter
    }
}
