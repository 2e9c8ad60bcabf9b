/// Makes a TLS handshake, and sends nothing after it.
final class HandshakeLoad: LoadProtocol {
    private(set) var isReady = false
    func connected(_ out: inout [UInt8]) { isReady = true }
    func received(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) {}
}

/// Sends messages that the floor server sends back. A round trip counts as a delivery and an acknowledgement.
final class EchoLoad: LoadProtocol {
    private let tally: Tally
    private let message: [UInt8]
    private var awaited = 0
    private(set) var isReady = false

    init(size: Int, tally: Tally) {
        self.tally = tally
        message = [UInt8](repeating: 0x5a, count: size)
    }

    func connected(_ out: inout [UInt8]) {
        out.append(FloorServer.Kind.echo.rawValue)
        isReady = true
    }

    func send(_ out: inout [UInt8]) {
        guard tally.quota > 0, awaited == 0 else { return }
        tally.quota -= 1
        awaited = message.count
        out.append(contentsOf: message)
    }

    func received(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) {
        awaited -= bytes.count
        guard awaited == 0 else { return }
        tally.delivered(1)
        tally.acknowledged(1)
    }
}

/// Counts the bytes that the floor server writes to all connections.
final class RecordLoad: LoadProtocol {
    private let tally: Tally
    private let size: Int
    private var bytes = 0
    private(set) var isReady = false

    init(size: Int, tally: Tally) {
        self.size = size
        self.tally = tally
    }

    func connected(_ out: inout [UInt8]) { out.append(FloorServer.Kind.records.rawValue) }

    func received(_ input: UnsafeRawBufferPointer, _ out: inout [UInt8]) {
        guard isReady else {
            // The first byte says that the server has added this connection to its audience.
            isReady = true
            return
        }
        bytes += input.count
        while bytes >= size {
            bytes -= size
            tally.delivered(1)
        }
    }
}

/// Tells the floor server to write one record to all connections, and receives the time that it took.
final class RecordTrigger: LoadProtocol {
    private let tally: Tally
    private let size: UInt32
    private var answer: [UInt8] = []
    let isReady = true

    init(size: Int, tally: Tally) {
        self.size = UInt32(size)
        self.tally = tally
    }

    func connected(_ out: inout [UInt8]) { out.append(FloorServer.Kind.trigger.rawValue) }

    func send(_ out: inout [UInt8]) {
        guard tally.quota > 0 else { return }
        tally.quota -= 1
        withUnsafeBytes(of: size.bigEndian) { out.append(contentsOf: $0) }
    }

    func received(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) {
        answer.append(contentsOf: bytes)
        while answer.count >= 8 {
            tally.reported.append(answer.prefix(8).reduce(0) { $0 << 8 | Int64($1) })
            answer.removeFirst(8)
            tally.acknowledged(1)
        }
    }
}
