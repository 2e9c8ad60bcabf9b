import Crypto
import KithWire
import TLSCodec

/// One valid frame of every type.
enum Samples {
    static let channel = ChannelID(Array(0..<32)) ?? .random()
    static let entryID = EntryID(Array(100..<116)) ?? .random()
    static let token = Token(Array(40..<72)) ?? .random()
    static let access = Access(read: Grant(for: token), append: Grant(for: .random()), turn: .nobody)
    static let payload = Array("ciphertext, as far as anyone can tell".utf8)[...]
    static let blob = NewBlob(
        id: BlobID(Array(50..<82)) ?? .random(), read: Grant(for: token), write: Grant(for: .random()), size: 1 << 40,
        lifetimeSeconds: 86_400)
    static let entries = (1...3).map {
        Entry(
            seq: UInt64($0), epoch: 0, kind: $0 == 3 ? .turn : .message, receivedAtMs: 1_700_000_000_000, id: entryID,
            payload: payload)
    }

    static func record() throws -> (Name, NameRecord) {
        let name = try unwrap(Name("alice"))
        let key = Curve25519.Signing.PrivateKey()
        return (name, try NameRecord(name: name, version: 7, content: Array("kith:where".utf8), signedBy: key))
    }

    static func requests() throws -> [Request] {
        let (name, record) = try record()
        return [
            .hello(versions: [1, 2], relayPass: RelayPass("let me in")),
            .hello(versions: [1], relayPass: nil),
            .create(channel: channel, access: access, retentionSeconds: 3600),
            .create(channel: channel, kind: .inbox, access: access, retentionSeconds: nil),
            .present(channel: channel, epoch: 3, tokens: [token, .random()]),
            .append(channel: channel, epoch: 3, id: entryID, payload: payload),
            .turn(channel: channel, epoch: 3, id: entryID, payload: payload, nextAccess: access),
            .follow(channel: channel, epoch: 3, fromSeq: 17),
            .unfollow(channel: channel),
            .whisper(channel: channel, epoch: 3, payload: payload),
            .close(channel: channel),
            .deposit(
                channel: channel, keyPackages: [KeyPackageBytes(payload), KeyPackageBytes([1])],
                lastResort: KeyPackageBytes([2, 3])),
            .withdraw(channel: channel),
            .register(name: name, record: record.unverified),
            .lookup(name: name),
            .ping,
            .trim(channel: channel, throughSeq: 17),
            .createBlob(channel: channel, epoch: 3, blob: blob),
        ]
    }

    static func replies() throws -> [Reply] {
        let limits = AdvertisedLimits(
            payload: 1, frame: 2, requestsPerSecond: 3, requestBurst: 4, idleSeconds: 5, follows: 6,
            retentionSeconds: 7)
        return [
            .welcome(version: 1, relayID: Array(0..<16), limits: limits, timeMs: 1_700_000_000_000),
            .done,
            .granted([.read, .turn]),
            .accepted(seq: 1 << 40),
            .following(firstSeq: 5, lastSeq: 9),
            .entries(channel: channel, entries: entries),
            .epochEnded(channel: channel, epoch: 9),
            .whispered(channel: channel, epoch: 9, payload: payload),
            .keyPackage(KeyPackageBytes(payload), isLastResort: true),
            .record(try record().1.unverified),
            .error(RelayError(.staleEpoch, "the channel is in another epoch", detail: 4, retryAfterMs: 5)),
        ]
    }

    private struct Missing: Error {}

    /// Unwraps a sample.
    private static func unwrap<T>(_ value: T?) throws -> T {
        guard let value else { throw Missing() }
        return value
    }
}
