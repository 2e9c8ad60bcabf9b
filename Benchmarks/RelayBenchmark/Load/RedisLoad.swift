/// One Redis connection that uses a stream. It sends with `XADD` and receives with `XREAD BLOCK` (RESP 2).
final class RedisLoad: LoadProtocol {
    private let role: LoadRole
    private let tally: Tally
    private let key: String
    private let append: [UInt8]
    private var pending: [UInt8] = []
    private var inFlight = 0
    private(set) var isReady = false

    init(_ role: LoadRole, key: String, payloadSize: Int, tally: Tally) {
        self.role = role
        self.tally = tally
        self.key = key
        append = Self.command(["XADD", key, "*", "d", String(repeating: "Z", count: payloadSize)])
    }

    func connected(_ out: inout [UInt8]) {
        if case .receiver = role { read(after: "0-0", &out) }
        isReady = true
    }

    func send(_ out: inout [UInt8]) {
        guard case .sender(let limit) = role else { return }
        while inFlight < limit, tally.quota > 0 {
            tally.quota -= 1
            inFlight += 1
            out.append(contentsOf: append)
        }
    }

    func received(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) throws {
        pending.append(contentsOf: bytes)
        let whole = pending
        var consumed = 0
        try whole.withUnsafeBytes { input in
            while true {
                var parser = RESPParser(input: input, offset: consumed)
                guard let value = try parser.value() else { break }
                consumed = parser.offset
                try receive(value, &out)
            }
        }
        pending = Array(whole[consumed...])
        send(&out)
    }

    private func receive(_ value: RESPParser.Value, _ out: inout [UInt8]) throws {
        if case .sender = role {
            inFlight -= 1
            tally.acknowledged(1)
            return
        }
        // The answer has the form [[key, [[id, [field, value]], …]]].
        guard case .array(let streams) = value, case .array(let stream)? = streams.first, stream.count == 2,
            case .array(let entries) = stream[1], case .array(let last)? = entries.last,
            case .string(let id)? = last.first
        else { throw LoadFailure("an answer to XREAD that is none") }
        tally.delivered(entries.count)
        read(after: id, &out)
    }

    private func read(after id: String, _ out: inout [UInt8]) {
        out.append(contentsOf: Self.command(["XREAD", "COUNT", "1000", "BLOCK", "0", "STREAMS", key, id]))
    }

    private static func command(_ words: [String]) -> [UInt8] {
        Array(("*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()).utf8)
    }
}

/// Reads one RESP 2 value.
struct RESPParser {
    enum Value {
        case string(String)
        case array([Value])
        case none
    }

    let input: UnsafeRawBufferPointer
    var offset: Int

    /// `nil` if the value is incomplete.
    mutating func value() throws -> Value? {
        guard offset < input.count else { return nil }
        let type = input[offset]
        offset += 1
        guard let line = line() else { return nil }
        switch type {
        case UInt8(ascii: "-"):
            throw LoadFailure("Redis: \(line)")
        case UInt8(ascii: "$"):
            guard let count = Int(line), count >= 0 else { return Value.none }
            guard offset + count + 2 <= input.count else { return nil }
            defer { offset += count + 2 }
            // Payloads are counted, not looked at.
            return .string(count > 64 ? "" : String(decoding: input[offset..<offset + count], as: UTF8.self))
        case UInt8(ascii: "*"):
            guard let count = Int(line), count >= 0 else { return Value.none }
            var values: [Value] = []
            for _ in 0..<count {
                guard let value = try value() else { return nil }
                values.append(value)
            }
            return .array(values)
        default:
            return .string(line)
        }
    }

    private mutating func line() -> String? {
        guard let end = input[offset...].firstIndex(of: UInt8(ascii: "\r")), end + 1 < input.count else { return nil }
        defer { offset = end + 2 }
        return String(decoding: input[offset..<end], as: UTF8.self)
    }
}
