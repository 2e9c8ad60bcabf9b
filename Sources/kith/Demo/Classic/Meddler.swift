import ClassicSession
import KithClient
import KithWire

/// An attacker who knows nothing but both ids, and tampers with a message.
///
/// The channel's id and tokens are derived from the two ids, so the relay allows the attacker to read and append. The attacker
/// has no key.
struct Meddler {
    let channel: MeetingChannel

    init(_ one: String, _ other: String) throws {
        channel = try MeetingChannel(ClassicID(one), ClassicID(other))
    }

    /// Copies the channel's last message, gives the copy the next number, flips one bit of the ciphertext, and appends the copy.
    /// Returns the seq of the copied entry and the seq of the copy.
    func tamper(through address: RelayAddress, _ pin: RelayPin) async throws -> (original: UInt64, copy: UInt64) {
        let connection = try await RelayConnection.connect(to: address, trust: .pinned(pin))
        defer { Task { await connection.close() } }
        _ = try await connection.request(channel.present)
        let follow = try await connection.follow(channel.id, epoch: MeetingChannel.epoch, fromSeq: 1)
        var last: Entry?
        for try await event in follow {
            guard case .entries(let entries) = event else { continue }
            last = entries.last
            if let last, last.seq >= follow.lastSeq { break }
        }
        guard let last else { throw Failure(message: "there is no message to tamper with") }
        let altered = try Self.altered(Array(last.payload))
        guard case .accepted(let seq) = try await connection.request(channel.append(altered, id: .random())) else {
            throw Failure(message: "the relay did not take the altered copy")
        }
        return (last.seq, seq)
    }

    /// Changes the number and one bit of a sealed message of the classic session. The message consists of version, type and
    /// sender (one byte each), two fields of 16 bytes, the number (8 bytes), the IV, the ciphertext, and a MAC of 32 bytes.
    private static func altered(_ message: [UInt8]) throws -> [UInt8] {
        guard message.count > 100, message[1] == 5, message[42] < .max else {
            throw Failure(message: "that entry is not a message")
        }
        var altered = message
        // The demo sends few messages, so the last byte of the number does not overflow.
        altered[42] += 1
        altered[altered.count - 40] ^= 1
        return altered
    }
}
