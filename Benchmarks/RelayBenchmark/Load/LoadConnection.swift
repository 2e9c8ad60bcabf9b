import NIOCore
import NIOSSL
import NIOTLS

/// The protocol of one load connection. It processes received bytes, and produces bytes to send. ``LoadConnection`` runs the
/// protocols of Kith and of its peers in the same way, so the load itself costs the same for all of them.
protocol LoadProtocol: AnyObject {
    /// Whether the connection has finished the steps that it takes before the load begins.
    var isReady: Bool { get }
    /// Called once, when the connection (and its TLS) is up. Bytes appended to `out` are sent.
    func connected(_ out: inout [UInt8])
    /// Called with received bytes. Bytes appended to `out` are sent, in one piece for each read.
    func received(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) throws
    /// Appends the messages that the tally's quota and the connection's own window leave room for.
    func send(_ out: inout [UInt8])
}

extension LoadProtocol {
    func send(_ out: inout [UInt8]) {}
}

/// The counts of one load loop, summed over its connections.
final class Tally {
    var delivered = 0
    var acknowledged = 0
    var bytesReceived = 0
    /// Durations that a server reported, in nanoseconds.
    var reported: [Int64] = []
    /// The number of messages that may still be sent.
    var quota = 0
    /// Called after a delivery or an acknowledgement.
    var onProgress: () -> Void = {}

    func delivered(_ count: Int) {
        delivered += count
        onProgress()
    }

    func acknowledged(_ count: Int) {
        acknowledged += count
        onProgress()
    }
}

struct LoadFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The role of a connection.
enum LoadRole: Sendable {
    /// Creates the pair's channel, if the server has channels, and counts its deliveries.
    case receiver
    /// Counts the deliveries of a channel that another connection has created.
    case follower
    /// Keeps up to a number of messages unacknowledged.
    case sender(inFlight: Int)
    /// Connects, completes the protocol's greeting, and then does nothing.
    case idle
}

/// The network side of one load connection.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let load: any LoadProtocol
    private let tally: Tally
    private let isSecure: Bool
    private var ready: EventLoopPromise<Void>?
    private var out: [UInt8] = []
    private var context: ChannelHandlerContext?

    /// - Parameter ready: succeeds when the load is ready, fails if the connection ends before.
    init(_ load: any LoadProtocol, tally: Tally, isSecure: Bool, ready: EventLoopPromise<Void>) {
        self.load = load
        self.tally = tally
        self.isSecure = isSecure
        self.ready = ready
    }

    var isOpen: Bool { context != nil }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end(LoadFailure("the server closed the connection"))
    }

    func channelActive(context: ChannelHandlerContext) {
        if !isSecure { begin() }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { begin() }
    }

    private func begin() {
        load.connected(&out)
        flush()
        noticeReady()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        tally.bytesReceived += buffer.readableBytes
        do {
            try buffer.withUnsafeReadableBytes { try load.received($0, &out) }
        } catch {
            end(error)
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        noticeReady()
    }

    /// Sends messages at a time when no read is being processed.
    func push() {
        load.send(&out)
        flush()
    }

    func close() { context?.close(promise: nil) }

    private func noticeReady() {
        guard load.isReady, let promise = ready else { return }
        ready = nil
        promise.succeed()
    }

    /// Reports the end of the connection to the caller that waits until the load is ready. If no caller waits, prints a
    /// protocol error, because a run with such an error must not pass for a good run.
    private func end(_ error: any Error) {
        if let promise = ready {
            ready = nil
            promise.fail(error)
        } else if !(error is LoadFailure) {
            print("load: \(error)")
        }
    }

    private func flush() {
        guard !out.isEmpty, let context else { return }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: out)), promise: nil)
        // An idle connection keeps no buffer. A busy connection keeps its buffer.
        if out.count < 512 { out = [] } else { out.removeAll(keepingCapacity: true) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOSSLError.uncleanShutdown, is IOError, is ChannelError: end(LoadFailure("\(error)"))
        default: end(error)
        }
        context.close(promise: nil)
    }
}
