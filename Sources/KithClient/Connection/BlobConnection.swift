import KithCore
import KithWire
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import PrivateFiles

/// A connection to a relay for the bytes of blobs. Messages have a separate connection, so no message waits behind a file.
///
/// The connection makes one request at a time.
package struct BlobConnection {
    private typealias Channel = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// The event loop of all these connections. Its priority is low, because texts come before files.
    private static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let host: String
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
    private var inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator

    /// Connects, checks the relay's key, and calls `body` with the connection. Nothing is sent to the relay before its key was
    /// checked. After `body`, the connection closes. Cancelling the task ends the connection at once.
    ///
    /// - Throws: ``RelayConnectionError``, or an error of `body`.
    package static func use<R>(
        _ address: RelayAddress, trust: RelayTrust, timeouts: RelayTimeouts = RelayTimeouts(),
        _ body: (inout BlobConnection) async throws -> R
    ) async throws -> R {
        let loop = loops.next()
        loop.execute { ThreadPriority.lower() }
        let check = PinCheck(trust)
        let opened = NIOLoopBoundBox<Channel?>.makeEmptyBox(valueType: Channel.self, eventLoop: loop)
        let attempt = ConnectAttempt(on: loop)
        do {
            try await withTaskCancellationHandler {
                try await attempt.connect(to: address, timeout: TimeAmount(timeouts.connect), on: loop) { channel in
                    let pipeline = channel.pipeline.syncOperations
                    // This handler is outside of TLS, so it limits the time for the TLS handshake too.
                    try pipeline.addHandler(IdleStateHandler(allTimeout: TimeAmount(timeouts.answer)))
                    try pipeline.addHandler(try check.makeTLSHandler(for: address))
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(IdleEnd())
                    opened.value = try Channel(wrappingChannelSynchronously: channel)
                }
            } onCancel: {
                attempt.cancel()
            }
            guard let channel = try await loop.submit({ opened.value }).get() else {
                throw RelayConnectionError.closed(.lost)
            }
            return try await channel.executeThenClose { inbound, outbound in
                var connection = BlobConnection(
                    host: address.description, outbound: outbound, inbound: inbound.makeAsyncIterator())
                return try await body(&connection)
            }
        } catch {
            throw check.mismatch ?? Self.meaning(of: error)
        }
    }

    /// Translates an error of the network library into a ``RelayConnectionError``. An error that is not from the network library
    /// is returned unchanged.
    private static func meaning(of error: any Error) -> any Error {
        switch error {
        case is ChannelError, is IOError, is NIOSSLError, is BoringSSLError, is NIOAsyncWriterError:
            RelayConnectionError.isEnd(error)
                ? RelayConnectionError.closed(.lost) : RelayConnectionError(connecting: error)
        case is HTTPParserError: RelayConnectionError.protocolViolation(.malformedFrame)
        default: error
        }
    }

    // MARK: Requests

    /// Asks for a blob's state.
    ///
    /// - Throws: ``RelayConnectionError``. The error is `refused` with the code `denied` if the blob does not exist, or if the
    ///   token belongs to another blob.
    package mutating func status(of blob: BlobID, token: Token) async throws -> BlobStatus {
        try await send(BlobRequest(blob: blob, token: token, action: .status))
        return try await readStatus()
    }

    /// Uploads bytes to a blob. The bytes begin at `offset` in the blob.
    ///
    /// - Parameters:
    ///   - count: the number of bytes to upload.
    ///   - next: returns the next part of the bytes to upload. The part must not be empty.
    /// - Returns: the blob's state after the upload.
    package mutating func append(
        to blob: BlobID, token: Token, offset: UInt64, count: UInt64, _ next: () async throws -> ByteBuffer
    ) async throws -> BlobStatus {
        try await write(head: BlobRequest(blob: blob, token: token, action: .append(offset: offset, count: count)))
        var rest = count
        while rest > 0 {
            let bytes = try await next()
            rest -= min(rest, UInt64(bytes.readableBytes))
            do {
                try await outbound.write(.body(.byteBuffer(bytes)))
            } catch {
                // The relay may have refused the upload before it closed the connection.
                throw await refusal() ?? error
            }
        }
        try await outbound.write(.end(nil))
        let status = try await readStatus()
        guard status.stored == offset + count else { throw RelayConnectionError.protocolViolation(.wrongAnswer) }
        return status
    }

    /// Returns the relay's refusal of the last request; `nil` if the relay has sent none.
    private mutating func refusal() async -> (any Error)? {
        do { _ = try await readHead() } catch let error as RelayConnectionError {
            if case .refused = error { return error }
        } catch {}
        return nil
    }

    /// Downloads a part of a blob.
    ///
    /// - Parameters:
    ///   - range: the part to download. The range must not be empty.
    ///   - take: called with each piece of the bytes, in order. If `take` is slow, the relay has to wait.
    package mutating func read(
        _ range: Range<UInt64>, of blob: BlobID, token: Token, _ take: (ByteBuffer) async throws -> Void
    ) async throws {
        let action = BlobRequest.Action.read(first: range.lowerBound, last: range.upperBound - 1)
        try await send(BlobRequest(blob: blob, token: token, action: action))
        _ = try await readHead()
        var rest = UInt64(range.count)
        while let bytes = try await readBody() {
            guard UInt64(bytes.readableBytes) <= rest else {
                throw RelayConnectionError.protocolViolation(.wrongAnswer)
            }
            rest -= UInt64(bytes.readableBytes)
            try await take(bytes)
        }
        guard rest == 0 else { throw RelayConnectionError.protocolViolation(.wrongAnswer) }
    }

    /// Deletes a blob.
    package mutating func delete(_ blob: BlobID, token: Token) async throws {
        try await send(BlobRequest(blob: blob, token: token, action: .delete))
        _ = try await readHead()
        try await readEnd()
    }

    // MARK: HTTP

    private func send(_ request: BlobRequest) async throws {
        try await write(head: request)
        try await outbound.write(.end(nil))
    }

    private func write(head request: BlobRequest) async throws {
        var headers = HTTPHeaders(request.fields.map { ($0.name, $0.value) })
        headers.add(name: "host", value: host)
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.path, headers: headers)
        try await outbound.write(.head(head))
    }

    private mutating func readStatus() async throws -> BlobStatus {
        let head = try await readHead()
        try await readEnd()
        guard let status = BlobStatus(values: { head.headers[$0] }) else {
            throw RelayConnectionError.protocolViolation(.wrongAnswer)
        }
        return status
    }

    /// Reads the head of a response. If the response is an error, throws that error.
    private mutating func readHead() async throws -> HTTPResponseHead {
        guard case .head(let head)? = try await inbound.next() else { throw RelayConnectionError.closed(.lost) }
        guard head.status.code / 100 != 2 else { return head }
        var text: [UInt8] = []
        while let bytes = try await readBody(), text.count + bytes.readableBytes <= ClientLimits.blobError {
            text.append(contentsOf: bytes.readableBytesView)
        }
        // The response to a HEAD request has no body, so the error follows from the status.
        let error = (try? RelayError(decoding: text)) ?? Self.error(status: head.status)
        guard let error else { throw RelayConnectionError.notARelay(.httpStatus(Int(head.status.code))) }
        throw RelayConnectionError.refused(error)
    }

    /// The error for the HTTP status of a response without a body; `nil` if relays do not use that status for an error.
    private static func error(status: HTTPResponseStatus) -> RelayError? {
        switch status {
        case .notFound: RelayError(.denied, "no such file, or no right to it")
        case .tooManyRequests: RelayError(.tooFast, "too many requests", retryAfterMs: 1_000)
        case .serviceUnavailable: RelayError(.unavailable, "the relay can't serve files now", retryAfterMs: 5_000)
        default: nil
        }
    }

    /// Reads the end of a response without a body.
    private mutating func readEnd() async throws {
        guard try await readBody() == nil else { throw RelayConnectionError.protocolViolation(.wrongAnswer) }
    }

    /// Returns the next part of a response's body; `nil` at the end of the body.
    private mutating func readBody() async throws -> ByteBuffer? {
        switch try await inbound.next() {
        case .body(let bytes): bytes
        case .end: nil
        case .head: throw RelayConnectionError.protocolViolation(.wrongAnswer)
        case nil: throw RelayConnectionError.closed(.lost)
        }
    }
}

/// Closes a connection that has transported no bytes for too long.
private final class IdleEnd: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
