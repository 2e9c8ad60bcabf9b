import ClassicSession
import KithClient
import KithWire

/// Somebody who knows both ids and nothing else, and tampers with a message.
///
/// The channel's id and tokens follow from the two ids, so the relay lets this one read and append like the two. What it
/// can't have is a key.
struct Meddler {
    let channel: MeetingChannel

    init(_ one: String, _ other: String) throws {
        channel = try MeetingChannel(ClassicID(one), ClassicID(other))
    }

    /// Takes the last message that stands in the channel, flips one bit of it, and appends the copy. Returns the number of
    /// the entry that was copied, and that of the copy.
    func tamper(through relay: DemoRelay) async throws -> (original: UInt64, copy: UInt64) {
        guard let address = RelayAddress(relay.address), let pin = RelayPin(relay.pin) else {
            throw Failure(message: "the relay gave an address or a pin that can't be read")
        }
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
        var altered = Array(last.payload)
        // The MAC is the last 32 bytes of a frame, so this one is in the ciphertext.
        altered[max(0, altered.count - 40)] ^= 1
        guard case .accepted(let seq) = try await connection.request(channel.append(altered, id: .random())) else {
            throw Failure(message: "the relay did not take the altered copy")
        }
        return (last.seq, seq)
    }
}
