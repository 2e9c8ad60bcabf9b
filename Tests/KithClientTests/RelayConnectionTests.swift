import Foundation
import KithRelay
import KithWire
import NIOCore
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite(.timeLimit(.minutes(5))) struct RelayConnectionTests {
    @Test("a connection has the relay's key and id, and carries requests")
    func connects() async throws {
        try await withRelay { relay in
            let connection = try await RelayConnection.connect(
                to: relay.address, trust: .firstContact, timeouts: .patient)
            #expect(connection.pin == relay.pin)
            #expect(connection.welcome.relayID.count == 16)
            let channel = KnownChannel()
            #expect(try await connection.request(channel.creating) == .done)
            #expect(try await connection.request(channel.presenting) == .granted(.all))
            #expect(try await connection.request(channel.appending([1, 2, 3])) == .accepted(seq: 1))
            await connection.close()
            await #expect(throws: RelayConnectionError.closed(.here)) { try await connection.request(.ping) }
        }
    }

    @Test("thousands of requests under way at once are all answered, those on a channel in order")
    func pipelining() async throws {
        try await withRelay { relay in
            let connection = try await relay.connect()
            let channel = KnownChannel()
            _ = try await connection.request(channel.creating)
            _ = try await connection.request(channel.presenting)
            let (answers, answer) = AsyncStream.makeStream(of: Reply?.self)
            for index in 0..<5000 {
                connection.submit(channel.appending([UInt8(truncatingIfNeeded: index)])) { answer.yield(try? $0.get()) }
            }
            var next: UInt64 = 1
            for await reply in answers {
                #expect(reply == .accepted(seq: next))
                if next == 5000 { break }
                next += 1
            }
        }
    }

    @Test("a follow brings the stored entries, and then new ones")
    func follows() async throws {
        try await withRelay { relay in
            let writer = try await relay.connect()
            let reader = try await relay.connect()
            let channel = KnownChannel()
            _ = try await writer.request(channel.creating)
            for connection in [writer, reader] { _ = try await connection.request(channel.presenting) }
            for byte in 1...3 { _ = try await writer.request(channel.appending([UInt8(byte)])) }
            let follow = try await reader.follow(channel.id, epoch: 0, fromSeq: 2)
            #expect(follow.firstSeq == 2)
            #expect(follow.lastSeq == 3)
            _ = try await writer.request(channel.appending([4]))
            var bytes: [UInt8] = []
            for try await event in follow {
                if case .entries(let entries) = event { bytes += entries.flatMap(\.payload) }
                if bytes.count == 3 { break }
            }
            #expect(bytes == [2, 3, 4])
            await #expect(throws: RelayConnectionError.alreadyFollowing) {
                try await reader.follow(channel.id, epoch: 0, fromSeq: 1)
            }
            _ = follow
        }
    }

    @Test("a follow without the right to read is refused, and the connection stands")
    func refusedFollow() async throws {
        try await withRelay { relay in
            let connection = try await relay.connect()
            do {
                _ = try await connection.follow(.random(), epoch: 0, fromSeq: 1)
                Issue.record("followed a channel that is not there")
            } catch {
                guard case RelayConnectionError.refused(let refusal) = error else { throw error }
                #expect(refusal.code == .denied)
            }
            #expect(try await connection.request(.ping) == .done)
        }
    }

    @Test("a slow reader loses nothing, and the entries that it has not taken stay at the relay")
    func slowReader() async throws {
        try await withRelay { relay in
            let (writer, channel) = try await relay.connectWithChannel()
            let connection = try await relay.connect()
            try await connection.present(channel)
            let follow = try await connection.follow(channel.id, epoch: 0, fromSeq: 1)
            // Four times the limit, with nobody taking any of it.
            let count = 4 * ClientLimits.unreadBytes / (64 << 10)
            for index in 0..<count {
                try await writer.append(
                    [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 64 << 10), to: channel)
            }
            // One frame, and the bytes of one read from the socket, may come on top.
            let unread = connection.core.driver.unread
            #expect(unread.count <= ClientLimits.unreadBytes + 2 * WireLimits.frame)
            var taken: [UInt8] = []
            for try await event in follow {
                guard case .entries(let entries) = event else { continue }
                for entry in entries { taken.append(try #require(entry.payload.first)) }
                #expect(unread.count <= ClientLimits.unreadBytes + 2 * WireLimits.frame)
                if taken.count >= count { break }
            }
            #expect(taken == (0..<count).map { UInt8(truncatingIfNeeded: $0) })
            // The reader is done with what there is: answers come again.
            #expect(try await connection.request(.ping) == .done)
        }
    }

    @Test("a task that is cancelled stops waiting for entries")
    func cancellation() async throws {
        try await withRelay { relay in
            let connection = try await relay.connect()
            let channel = KnownChannel()
            _ = try await connection.request(channel.creating)
            _ = try await connection.request(channel.presenting)
            let follow = try await connection.follow(channel.id, epoch: 0, fromSeq: 1)
            let task = Task {
                for try await _ in follow { Issue.record("nothing was appended") }
            }
            task.cancel()
            try await task.value
        }
    }

    @Test("no byte is sent to a relay with another key, and both keys are reported")
    func pinMismatch() async throws {
        try await withTemporaryFolder { folder in
            let relay = try await FalseRelay(folder: folder, answers: [])
            let expected = try #require(RelayPin([UInt8](repeating: 7, count: 32)))
            await #expect(throws: RelayConnectionError.pinMismatch(expected: expected, found: relay.pin)) {
                try await RelayConnection.connect(
                    to: relay.address, trust: .pinned(expected), pass: RelayPass("secret"), timeouts: .patient)
            }
            #expect(relay.received.value == 0)
            await relay.stop()
        }
    }

    @Test("a relay with a pass accepts only that pass")
    func pass() async throws {
        let pass = try #require(RelayPass("open sesame"))
        try await withRelay(configure: { $0.relayPass = pass }) { relay in
            for wrong in [nil, RelayPass("open barley")] {
                do {
                    _ = try await RelayConnection.connect(
                        to: relay.address, trust: .pinned(relay.pin), pass: wrong, timeouts: .patient)
                    Issue.record("let in without the pass")
                } catch {
                    guard case RelayConnectionError.turnedAway(let refusal) = error else { throw error }
                    #expect(refusal.code == .passRequired)
                }
            }
            _ = try await RelayConnection.connect(
                to: relay.address, trust: .pinned(relay.pin), pass: pass, timeouts: .patient)
        }
    }

    @Test("a relay that shuts down ends the connection, its requests and its follows")
    func shutdown() async throws {
        try await withRelay { relay in
            let connection = try await relay.connect()
            let channel = KnownChannel()
            _ = try await connection.request(channel.creating)
            _ = try await connection.request(channel.presenting)
            let follow = try await connection.follow(channel.id, epoch: 0, fromSeq: 1)
            await relay.server.shutDown()
            await #expect(throws: RelayConnectionError.self) { for try await _ in follow {} }
            await #expect(throws: RelayConnectionError.self) { try await connection.request(.ping) }
            await connection.waitUntilClosed()
        }
    }

    @Test("an idle connection pings again and again, and stays open")
    func pings() async throws {
        try await withRelay(configure: { $0.metricsHost = "127.0.0.1" }) { relay in
            let connection = try await RelayConnection.connect(
                to: relay.address, trust: .pinned(relay.pin), timeouts: RelayTimeouts(pingAfter: .milliseconds(50)))
            let metrics = try #require(RelayAddress("127.0.0.1:\(relay.server.metricsPort ?? 0)"))
            func requests() async throws -> Double {
                try await RelayStatus.metrics(at: metrics).first { $0.name == "kith_requests_total" }?.value ?? 0
            }
            let before = try await requests()
            try await eventually(requests) { $0 >= before + 3 }
            #expect(try await connection.request(.ping) == .done)
        }
    }

    // MARK: What is no relay

    @Test("an unknown host and a refused connection are told apart")
    func unreachable() async throws {
        // Not a port that was just given back: a test that runs beside this one may have it by now.
        let silent = try #require(RelayAddress("127.0.0.1:1"))
        await #expect(throws: RelayConnectionError.unreachable(.connectionRefused)) {
            try await RelayConnection.connect(to: silent, trust: .firstContact, timeouts: .patient)
        }
        let nowhere = try #require(RelayAddress("relay.invalid:7443"))
        do {
            _ = try await RelayConnection.connect(to: nowhere, trust: .firstContact, timeouts: .patient)
            Issue.record("there is something at \(nowhere)")
        } catch {
            // A machine without a name server can't know.
            #expect([.unreachable(.unknownHost), .unreachable(.noNameServer)].contains(error))
        }
    }

    @Test("a server without TLS, or without any answer, is no relay")
    func noTLS() async throws {
        try await withTemporaryFolder { folder in
            let web = try await FalseRelay(
                folder: folder, tls: false, answers: [.bytes(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))])
            await #expect(throws: RelayConnectionError.notARelay(.noTLS)) {
                try await RelayConnection.connect(to: web.address, trust: .firstContact, timeouts: .patient)
            }
            await web.stop()
            let mute = try await FalseRelay(folder: folder, tls: false, answers: [])
            await #expect(throws: RelayConnectionError.unreachable(.timedOut)) {
                try await RelayConnection.connect(
                    to: mute.address, trust: .firstContact, timeouts: RelayTimeouts(handshake: .milliseconds(300)))
            }
            await mute.stop()
        }
    }

    @Test("a web server with TLS is no relay")
    func webServer() async throws {
        try await withTemporaryFolder { folder in
            let web = try await FalseRelay(
                folder: folder, answers: [.bytes(Array("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".utf8))])
            await #expect(throws: RelayConnectionError.notARelay(.httpStatus(404))) {
                try await RelayConnection.connect(to: web.address, trust: .pinned(web.pin), timeouts: .patient)
            }
            await web.stop()
        }
    }

    @Test("garbage in place of a welcome is an error")
    func garbage() async throws {
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<50).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let answers: [([UInt8], RelayConnectionError)] = [
            // A masked frame, a text frame, a frame that is far too long, a frame that does not parse.
            ([0x82, 0x81, 1, 2, 3, 4, 5], .protocolViolation(.framing(.protocolError))),
            ([0x81, 0x01, 65], .protocolViolation(.framing(.unsupportedData))),
            ([0x82, 0x7f, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff], .protocolViolation(.framing(.messageTooBig))),
            ([0x82, 0x05] + [99, 0, 0, 0, 1], .protocolViolation(.malformedFrame)),
            ([0x82, 0x32] + [99] + noise.dropFirst(), .protocolViolation(.malformedFrame)),
            ([0x88, 0x02, 0x03, 0xe9], .closed(.byRelay(code: 1001))),
        ]
        for (bytes, expected) in answers {
            try await withTemporaryFolder { folder in
                let relay = try await FalseRelay(folder: folder, answers: [.upgrade(then: bytes)])
                await #expect(throws: expected) {
                    try await RelayConnection.connect(to: relay.address, trust: .pinned(relay.pin), timeouts: .patient)
                }
                await relay.stop()
            }
        }
    }

    @Test("a relay that closes during the handshake is reported as such")
    func closedInHandshake() async throws {
        try await withTemporaryFolder { folder in
            let relay = try await FalseRelay(folder: folder, answers: [.upgrade(then: [])], closes: true)
            await #expect(throws: RelayConnectionError.closed(.lost)) {
                try await RelayConnection.connect(to: relay.address, trust: .pinned(relay.pin), timeouts: .patient)
            }
            await relay.stop()
        }
    }
}
