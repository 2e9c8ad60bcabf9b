/// One MQTT 3.1.1 connection with QoS 1. When the broker acknowledges a publication, it takes responsibility for the message.
final class MQTTLoad: LoadProtocol {
    private let role: LoadRole
    private let tally: Tally
    private let topic: [UInt8]
    private let client: String
    private let keepsSession: Bool
    private let payload: [UInt8]
    private var pending: [UInt8] = []
    private var packetID: UInt16 = 0
    private var inFlight = 0
    private(set) var isReady = false

    /// - Parameters:
    ///   - client: the client identifier, different for every connection.
    ///   - keepsSession: whether the broker keeps messages for this client while the client is away.
    init(
        _ role: LoadRole, topic: String, client: String, keepsSession: Bool = false, payloadSize: Int, tally: Tally
    ) {
        self.role = role
        self.tally = tally
        self.topic = Array(topic.utf8)
        self.client = client
        self.keepsSession = keepsSession
        payload = [UInt8](repeating: 0x5a, count: payloadSize)
    }

    /// Sends the CONNECT packet (MQTT 3.1.1 §3.1). Its keep-alive is long enough that no ping is needed in a run.
    func connected(_ out: inout [UInt8]) {
        let body: [UInt8] = [0, 4] + Array("MQTT".utf8) + [4, keepsSession ? 0 : 2, 0x0e, 0x10] + string(client.utf8)
        packet(0x10, body, &out)
    }

    func received(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) throws {
        if pending.isEmpty {
            let consumed = try decode(bytes, &out)
            if consumed < bytes.count { pending = Array(bytes[consumed...]) }
        } else {
            pending.append(contentsOf: bytes)
            let whole = pending
            let consumed = try whole.withUnsafeBytes { try decode($0, &out) }
            pending = Array(whole[consumed...])
        }
        send(&out)
    }

    func send(_ out: inout [UInt8]) {
        guard case .sender(let limit) = role, isReady else { return }
        while inFlight < limit, tally.quota > 0 {
            tally.quota -= 1
            inFlight += 1
            packetID = packetID == .max ? 1 : packetID + 1
            publish(&out)
        }
    }

    /// Sends a PUBLISH packet with QoS 1 (§3.3).
    private func publish(_ out: inout [UInt8]) {
        out.append(0x32)
        length(2 + topic.count + 2 + payload.count, &out)
        out.append(UInt8(topic.count >> 8))
        out.append(UInt8(topic.count & 0xff))
        out.append(contentsOf: topic)
        out.append(UInt8(packetID >> 8))
        out.append(UInt8(packetID & 0xff))
        out.append(contentsOf: payload)
    }

    /// Handles the whole packets at the front of `input`; returns the number of bytes consumed.
    private func decode(_ input: UnsafeRawBufferPointer, _ out: inout [UInt8]) throws -> Int {
        var offset = 0
        while let header = header(UnsafeRawBufferPointer(rebasing: input[offset...])) {
            let start = offset + header.size
            guard input.count >= start + header.length else { break }
            try receive(input[offset], UnsafeRawBufferPointer(rebasing: input[start..<start + header.length]), &out)
            offset = start + header.length
        }
        return offset
    }

    /// Reads a packet's fixed header; `nil` if it is incomplete. The length in it has up to four bytes of seven bits (§2.2.3).
    private func header(_ input: UnsafeRawBufferPointer) -> (size: Int, length: Int)? {
        var length = 0
        for index in 1..<5 where index < input.count {
            length |= Int(input[index] & 0x7f) << (7 * (index - 1))
            if input[index] & 0x80 == 0 { return (index + 1, length) }
        }
        return nil
    }

    private func receive(_ first: UInt8, _ body: UnsafeRawBufferPointer, _ out: inout [UInt8]) throws {
        switch first >> 4 {
        case 2:
            guard body.count == 2, body[1] == 0 else { throw LoadFailure("the broker refused the connection") }
            switch role {
            case .receiver, .follower: packet(0x82, [0, 1] + string(topic) + [1], &out)
            case .sender, .idle: isReady = true
            }
        case 3:
            let topicSize = Int(body[0]) << 8 | Int(body[1])
            out.append(contentsOf: [0x40, 2, body[2 + topicSize], body[3 + topicSize]])
            tally.delivered(1)
        case 4:
            inFlight -= 1
            tally.acknowledged(1)
        case 9:
            guard body.last == 1 else { throw LoadFailure("the broker refused the subscription") }
            isReady = true
        default:
            break
        }
    }

    private func string(_ text: some Collection<UInt8>) -> [UInt8] {
        [UInt8(text.count >> 8), UInt8(text.count & 0xff)] + text
    }

    private func packet(_ first: UInt8, _ body: [UInt8], _ out: inout [UInt8]) {
        out.append(first)
        length(body.count, &out)
        out.append(contentsOf: body)
    }

    private func length(_ value: Int, _ out: inout [UInt8]) {
        var rest = value
        repeat {
            out.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
    }
}
