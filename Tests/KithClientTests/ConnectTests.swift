import Foundation
import KithWire
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Connecting where nothing answers", .timeLimit(.minutes(5)))
struct ConnectTests {
    /// A port whose queue of connections is full: the system answers no more of them.
    private final class FullPort: Sendable {
        let address: RelayAddress
        private let descriptors: [Int32]

        init() throws {
            let (listener, port) = listening(backlog: 0)
            var address = loopback(port)
            descriptors =
                [listener]
                + (0..<4).map { _ in
                    let waiting = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                    _ = fcntl(waiting, F_SETFL, O_NONBLOCK)
                    withSystemAddress(&address) { _ = connect(waiting, $0, $1) }
                    return waiting
                }
            self.address = try #require(RelayAddress(host: "127.0.0.1", port: port))
        }

        deinit { for descriptor in descriptors { close(descriptor) } }
    }

    /// Longer than any test.
    private static let patient = RelayTimeouts(connect: .seconds(3_600), handshake: .seconds(3_600))

    @Test("an attempt to connect can be cancelled at once")
    func cancelled() async throws {
        let port = try FullPort()
        let connecting = Task { () async -> RelayConnectionError? in
            do throws(RelayConnectionError) {
                _ = try await RelayConnection.connect(to: port.address, trust: .firstContact, timeouts: Self.patient)
                return nil
            } catch { return error }
        }
        connecting.cancel()
        #expect(await connecting.value == .unreachable(.cancelled))
    }

    @Test("a handshake without an answer can be cancelled at once")
    func cancelledHandshake() async throws {
        try await withTemporaryFolder { folder in
            let mute = try await FalseRelay(folder: folder, tls: false, answers: [])
            let connecting = Task { () async -> RelayConnectionError? in
                do throws(RelayConnectionError) {
                    _ = try await RelayConnection.connect(
                        to: mute.address, trust: .firstContact, timeouts: Self.patient)
                    return nil
                } catch { return error }
            }
            try await eventually({ mute.received.value }) { $0 > 0 }
            connecting.cancel()
            #expect(await connecting.value == .unreachable(.cancelled))
            await mute.stop()
        }
    }

    @Test("a profile closes while its relay does not answer")
    func closing() async throws {
        let port = try FullPort()
        let person = try await Person("alice")
        let point = RelayPoint(address: port.address, pin: try #require(RelayPin(String(repeating: "a", count: 64))))
        let inviting = Task { try await person.profile.createInvite(at: point) }
        try await eventually({ await person.profile.relays().count }) { $0 == 1 }
        await person.profile.close()
        await #expect(throws: KithError.closed) { try await inviting.value }
    }

    @Test(
        "a relay that closes the connection at once is not taken for one that speaks no TLS", arguments: [true, false])
    func closedAtOnce(isReset: Bool) async throws {
        let (listener, port) = listening(backlog: 8)
        let server = Thread {
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                var end = linger(l_onoff: isReset ? 1 : 0, l_linger: 0)
                setsockopt(connection, SOL_SOCKET, SO_LINGER, &end, socklen_t(MemoryLayout<linger>.size))
                close(connection)
            }
            // Closed here, so that no call of accept uses a number that is another file's by then.
            close(listener)
        }
        server.start()
        let address = try #require(RelayAddress(host: "127.0.0.1", port: port))
        await #expect(throws: RelayConnectionError.notARelay(.saidNothing)) {
            try await RelayConnection.connect(to: address, trust: .firstContact)
        }
        // Wakes the thread, which ends.
        shutdown(listener, Int32(SHUT_RDWR))
    }

    @Test("a connection that the relay resets before its handlers are added fails, and no attempt waits for it")
    func resetBeforeHandlers() throws {
        let channel = EmbeddedChannel()
        let opened = channel.eventLoop.makePromise(of: RelayWelcome.self)
        let wire = RelayWire(on: channel.eventLoop)
        let driver = ConnectionDriver(wire: wire, pass: nil, timeouts: Self.patient, opened: opened)
        let handler = RelayChannelHandler(
            address: try #require(RelayAddress("127.0.0.1:1")), check: PinCheck(.firstContact),
            handshakeTimeout: .seconds(3_600), wire: wire, user: driver)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let failures = Mutex<[RelayConnectionError]>([])
        opened.futureResult.whenFailure { error in
            failures.withLock { $0.append(RelayConnectionError(connecting: error)) }
        }
        channel.close(promise: nil)
        try channel.pipeline.syncOperations.addHandler(handler)
        channel.embeddedEventLoop.run()
        #expect(failures.withLock { $0 } == [.notARelay(.saidNothing)])
    }
}

private func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = in_port_t(port).bigEndian
    return address
}

private func withSystemAddress(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Void
) {
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// A socket that listens on a free port.
private func listening(backlog: Int32) -> (descriptor: Int32, port: Int) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(0)
    withSystemAddress(&address) { place, length in
        var length = length
        _ = bind(listener, place, length)
        _ = listen(listener, backlog)
        _ = getsockname(listener, place, &length)
    }
    return (listener, Int(in_port_t(bigEndian: address.sin_port)))
}
