import NIOCore

/// Timeouts of a connection to a relay. All have defaults fit for the internet; tests and slow lines set their own.
package struct RelayTimeouts: Sendable {
    /// For the TCP connection to stand.
    package var connect: TimeAmount
    /// From there until the relay's `welcome`: TLS, upgrade and hello. A relay gives a client 10 s too.
    package var handshake: TimeAmount
    /// For the answer to a request. A connection with an older request is given up: the relay, or the line, is dead.
    package var answer: TimeAmount
    /// After this long without a request, a ping goes out: it keeps the connection open at the relay and on the way, and
    /// shows a dead line. Sooner if the relay closes idle connections sooner.
    package var pingAfter: TimeAmount

    /// Timeouts from their values.
    package init(
        connect: TimeAmount = .seconds(10), handshake: TimeAmount = .seconds(10), answer: TimeAmount = .seconds(30),
        pingAfter: TimeAmount = .seconds(60)
    ) {
        self.connect = connect
        self.handshake = handshake
        self.answer = answer
        self.pingAfter = pingAfter
    }
}
