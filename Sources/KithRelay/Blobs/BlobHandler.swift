import KithWire
import NIOCore
import NIOHTTP1
import TLSCodec

/// Answers the HTTP requests about blobs on one connection, one after another. Passes requests that are not about blobs to the
/// next handler.
///
/// The handler writes an upload to its file in pieces. To bound the memory of an upload, the handler reads at most one more piece
/// from the connection while one piece is being written. The handler reads a piece of a download from its file only while the
/// connection can accept more output.
final class BlobHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// The next request may come.
        case idle
        /// The request is not about a blob.
        case passing
        /// The client's right to make the request is being checked.
        case deciding(BlobRequest)
        case uploading(any BlobUpload, BlobStatus)
        case downloading(OutgoingBlob)
        /// The request was answered with an error. The connection closes at the end of the request's body.
        case refused
    }

    private let service: BlobService
    private let connection: Connection
    /// The connection's slot for transfers. The connection keeps the slot until a request is refused or the connection closes.
    private var slot: TransferSlot
    private var state = State.idle
    private var context: ChannelHandlerContext?
    /// The body of the request.
    private var body = IncomingBlob()
    private var isReadWanted = false
    /// The number of calls of ``run(_:then:)`` whose work is not finished.
    private var runs = 0
    private var lastProgress = NIODeadline.now()
    /// The number of bytes of an upload that were received since the last progress.
    private var bytesSinceProgress = 0

    /// - Parameters:
    ///   - connection: the connection. A connection that transfers blobs need not send `hello`.
    ///   - slots: the slots of all connections that transfer blobs.
    init(_ service: BlobService, for connection: Connection, slots: SlotPool) {
        self.service = service
        self.connection = connection
        slot = TransferSlot(of: slots, connection.sourceRates)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        // The bytes that have arrived are kept, so that they need not be sent again. They are written now, after the write that
        // is under way, or when the client's right has been checked.
        body.end()
        if case .uploading(let upload, _) = state { write(to: upload) }
        giveSlotBackIfOver()
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            switch state {
            case .idle where BlobRequest.isAbout(path: head.uri): begin(head)
            case .idle, .passing:
                // The next handler answers one request and closes the connection.
                state = .passing
                context.fireChannelRead(data)
            case .refused: break
            // A client must wait for the answer before it sends the next request.
            case .deciding, .uploading, .downloading: context.close(promise: nil)
            }
        case .body(let bytes):
            switch state {
            case .passing: context.fireChannelRead(data)
            case .deciding, .uploading:
                bytesSinceProgress += bytes.readableBytes
                if bytesSinceProgress >= BlobLimits.progressBytes { progress() }
                body.add(bytes)
                writeBody()
            case .idle, .downloading, .refused: break
            }
        case .end:
            switch state {
            case .passing: context.fireChannelRead(data)
            case .refused: context.close(promise: nil)
            case .idle, .deciding, .uploading, .downloading:
                body.end()
                writeBody()
            }
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        body = IncomingBlob()
        progress()
        let request: BlobRequest
        do throws(BlobRequest.Failure) {
            request = try BlobRequest(method: head.method.rawValue, path: head.uri) { head.headers[$0] }
        } catch {
            let status: HTTPResponseStatus = error == .method ? .methodNotAllowed : .badRequest
            return refuse(status, RelayError(.badFrame, "this is no request about a file"))
        }
        // Only browsers send this header, and a browser may act for a page that the user does not know of.
        guard head.headers["origin"].isEmpty else {
            return refuse(.forbidden, RelayError(.denied, "not for web pages"))
        }
        let wait = connection.sourceRates.charge(RelayLimits.blobCost, atNanoseconds: now)
        guard wait == 0 else {
            return refuse(.tooManyRequests, .tooFast("too many requests from this address", waitNanoseconds: wait))
        }
        guard slot.take() else {
            let error = RelayError(
                .tooMany, "too many transfers of files", detail: UInt64(BlobLimits.transfersPerAddress),
                retryAfterMs: 1_000)
            return refuse(.tooManyRequests, error)
        }
        state = .deciding(request)
        run { [service] in
            do throws(BlobError) { return .success(try await service.answer(request)) } catch { return .failure(error) }
        } then: { handler, result in
            handler.didDecide(request, result)
        }
    }

    /// Gives the slot back if the transfers are over and memory contains no bytes of the connection. A connection with bytes in
    /// memory keeps its slot, so the number of slots bounds the memory of all transfers.
    private func giveSlotBackIfOver() {
        let isRefused = if case .refused = state { true } else { false }
        if runs == 0, isRefused || context == nil { slot.giveBack() }
    }

    private func didDecide(_ request: BlobRequest, _ result: Result<BlobService.Outcome, BlobError>) {
        guard case .deciding = state else { return }
        switch result {
        case .failure(let error):
            if error == .denied { connection.sourceRates.charge(RelayLimits.deniedCost, atNanoseconds: now) }
            refuse(HTTPResponseStatus(error), RelayError(error), status: error.status)
        case .success(let outcome):
            if !connection.isTransfer { watchSilence() }
            connection.isTransfer = true
            switch outcome {
            case .status(let status): respond(.ok, status)
            case .deleted: respond(.noContent, nil)
            case .uploading(let upload, let status):
                state = .uploading(upload, status)
                writeBody()
            case .downloading(let download, let first, let last, let status):
                body = IncomingBlob()
                let isWhole = first == 0 && last + 1 == status.size
                var fields = status.fields
                if !isWhole { fields.append(("content-range", "bytes \(first)-\(last)/\(status.size)")) }
                writeHead(isWhole ? .ok : .partialContent, fields, length: last - first + 1)
                state = .downloading(OutgoingBlob(download: download, next: first, end: last + 1))
                sendNext()
            }
        }
        resumeReading()
    }

    // MARK: Uploads

    /// Writes the received bytes to the file if there are enough for a write, or if the body has ended. When all bytes of the
    /// request are durable, answers the request.
    private func writeBody() {
        guard case .uploading(let upload, let status) = state else { return }
        if body.isDone { return respond(.noContent, status) }
        write(to: upload)
    }

    private func write(to upload: any BlobUpload) {
        guard let write = body.nextWrite() else { return }
        run {
            do throws(BlobError) {
                return .success(try await upload.append(write.bytes, isSynced: write.isSynced))
            } catch { return .failure(error) }
        } then: { handler, result in
            handler.didWrite(write, result)
        }
    }

    private func didWrite(_ write: IncomingBlob.Write, _ result: Result<UInt64, BlobError>) {
        guard case .uploading(let upload, let status) = state else { return }
        body.didWrite(write)
        progress()
        switch result {
        case .success(let stored):
            connection.metrics.blobBytesIn.count(write.bytes.readableBytes)
            state = .uploading(upload, BlobStatus(stored: stored, size: status.size, expiresMs: status.expiresMs))
            if context == nil { self.write(to: upload) } else { writeBody() }
            resumeReading()
        case .failure(let error):
            refuse(HTTPResponseStatus(error), RelayError(error), status: error.status)
        }
    }

    // MARK: Downloads

    /// Reads the next piece from the file, if the connection can accept more output.
    private func sendNext() {
        guard case .downloading(var outgoing) = state, !outgoing.isReading, let context else { return }
        guard outgoing.next < outgoing.end else {
            state = .idle
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            return
        }
        guard context.channel.isWritable else { return }
        let (first, count) = (outgoing.next, Int(min(outgoing.end - outgoing.next, UInt64(BlobLimits.readBytes))))
        outgoing.isReading = true
        state = .downloading(outgoing)
        run { [download = outgoing.download] in
            do throws(BlobError) {
                return .success(try await download.bytes(at: first, count: count))
            } catch { return .failure(error) }
        } then: { handler, result in
            handler.didRead(result)
        }
    }

    private func didRead(_ result: Result<ByteBuffer, BlobError>) {
        guard case .downloading(var outgoing) = state, let context else { return }
        // The head has been sent, so a failure can only end the connection.
        guard case .success(let bytes) = result else { return context.close(promise: nil) }
        outgoing.isReading = false
        outgoing.next += UInt64(bytes.readableBytes)
        state = .downloading(outgoing)
        connection.metrics.blobBytesOut.count(bytes.readableBytes)
        // The client makes progress when it takes bytes, not when they are put into the queue for it.
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes)))).assumeIsolated().whenSuccess {
            [weak self] in self?.progress()
        }
        sendNext()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            sendNext()
            resumeReading()
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Answers

    private func respond(_ code: HTTPResponseStatus, _ status: BlobStatus?) {
        state = .idle
        body = IncomingBlob()
        writeHead(code, status?.fields ?? [], length: code == .noContent ? nil : 0)
        context?.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Answers with an error. Closes the connection at the end of the request's body. If the body takes longer than
    /// ``BlobLimits/refusedUploadMs``, closes the connection earlier.
    private func refuse(_ code: HTTPResponseStatus, _ error: RelayError, status: BlobStatus? = nil) {
        guard let context else { return }
        connection.metrics.count(error)
        let mustClose = body.hasEnded
        body = IncomingBlob()
        let text = error.encoded
        writeHead(code, (status?.fields ?? []) + [("connection", "close")], length: UInt64(text.count))
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: text)))), promise: nil)
        let channel = context.channel
        state = .refused
        giveSlotBackIfOver()
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            if mustClose { channel.close(promise: nil) }
        }
        context.eventLoop.scheduleTask(in: .milliseconds(BlobLimits.refusedUploadMs)) { channel.close(promise: nil) }
        resumeReading()
    }

    private func writeHead(_ code: HTTPResponseStatus, _ fields: [(name: String, value: String)], length: UInt64?) {
        var headers = HTTPHeaders(fields.map { ($0.name, $0.value) })
        headers.add(name: "cache-control", value: "no-store")
        headers.add(name: "content-type", value: "application/octet-stream")
        if let length { headers.add(name: "content-length", value: "\(length)") }
        context?.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: code, headers: headers))), promise: nil)
    }

    // MARK: Pace

    /// Reads from the connection if the handler can accept more bytes, and postpones the read otherwise.
    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadWanted = true }
    }

    private var mayRead: Bool {
        switch state {
        // A client that does not read its answers gets no more answers.
        case .idle: context?.channel.isWritable ?? true
        // The end of the connection must be noticed, even if nothing is to come.
        case .passing, .refused, .downloading: true
        case .deciding, .uploading: body.hasRoom
        }
    }

    private func resumeReading() {
        guard isReadWanted, mayRead, let context else { return }
        isReadWanted = false
        context.read()
    }

    private func progress() {
        lastProgress = .now()
        bytesSinceProgress = 0
    }

    /// Closes the connection if a transfer makes no progress for too long. The limit also applies to the pause between two
    /// transfers.
    private func watchSilence() {
        guard let context else { return }
        let deadline = lastProgress + .milliseconds(BlobLimits.silenceMs)
        if NIODeadline.now() >= deadline {
            connection.metrics.connectionsTimedOut.count()
            return context.close(promise: nil)
        }
        context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in self?.watchSilence() }
    }

    private var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    /// Runs `work` outside of the event loop. Then runs `next` on the event loop.
    private func run<T: Sendable>(
        _ work: @escaping @Sendable () async -> T, then next: @escaping @Sendable (BlobHandler, T) -> Void
    ) {
        let eventLoop = connection.channel.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        runs += 1
        Task {
            let result = await work()
            eventLoop.execute {
                bound.value.runs -= 1
                next(bound.value, result)
                bound.value.giveSlotBackIfOver()
            }
        }
    }
}
