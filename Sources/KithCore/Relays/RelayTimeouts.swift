/// Timeouts of a connection to a relay. The defaults fit the internet; tests and slow lines set their own.
package struct RelayTimeouts: Sendable {
    /// For the TCP connection.
    package var connect: Duration
    /// For TLS and the upgrade after the TCP connection, and then for the answer to `hello`. A relay gives a client 10 s too.
    package var handshake: Duration
    /// For the answer to a request. The connection of an older request is closed: the relay, or the line, is dead.
    package var answer: Duration
    /// Time without a request after which a ping goes out. It keeps the connection open at the relay and on the way, and
    /// detects a dead line. If the relay closes idle connections sooner, a ping goes out sooner.
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
