import Foundation
import NIOCore
import NIOEmbedded
import RelayTestSupport
import Testing

@testable import KithRelay

@Suite("The server of a relay")
struct RelayServerTests {
    @Test("a failed accept is retried later, counted each time and logged once")
    func acceptFailures() {
        let metrics = RelayMetrics()
        let lines = LogLines()
        let failures = AcceptFailures(metrics: metrics, logger: lines.logger(level: .warning))
        let channel = EmbeddedChannel(handler: failures.handler())
        func reads() -> Bool {
            channel.options.first { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool ?? true
        }
        for count in 1...3 {
            channel.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept"))
            #expect(!reads())
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(RelayLimits.acceptPauseMs - 1))
            #expect(!reads())
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
            #expect(reads())
            #expect(metrics.acceptFailures.load(ordering: .relaxed) == count)
        }
        #expect(lines.all.count == 1)
    }

    @Test("a relay reports that its listener has closed", .timeLimit(.minutes(5)))
    func deaf() async throws {
        try await withRelay { relay in
            let server = relay.server
            let deaf = Task { await server.listenerClosed() }
            // NIO closes the listener in this way if it takes an error of accept for the socket's end.
            try await server.listener.close()
            await deaf.value
        }
    }

    @Test("a relay that was shut down reports a closed listener to late callers, too", .timeLimit(.minutes(5)))
    func deafAfterShutdown() async throws {
        try await withRelay { relay in
            await relay.server.shutDown()
            await relay.server.listenerClosed()
        }
    }

    @Test("shutting down again, concurrently or later, has no further effect", .timeLimit(.minutes(5)))
    func twice() async throws {
        try await withRelay { relay in
            async let first: Void = relay.server.shutDown()
            async let second: Void = relay.server.shutDown()
            _ = await (first, second)
            await relay.server.shutDown()
        }
    }
}
