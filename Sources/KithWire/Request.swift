import TLSCodec

/// A request to a relay. A ``ClientFrame`` contains the request and a number, which the answer repeats.
public enum Request: Equatable, Sendable {
    /// The first request on a connection. Answered by `welcome`.
    case hello(versions: [UInt16], relayPass: RelayPass?)
    /// Creates a channel at epoch 0. Answered by `done`, even if a channel with this id, kind and access already exists.
    ///
    /// `retentionSeconds` is the requested retention of entries. If the relay's own limit is shorter, or if `retentionSeconds`
    /// is `nil`, the relay's limit applies.
    case create(channel: ChannelID, kind: ChannelKind = .log, access: Access, retentionSeconds: UInt32?)
    /// Presents tokens for one epoch. Answered by `granted` with the rights that the tokens give. The rights last until the
    /// connection closes.
    case present(channel: ChannelID, epoch: UInt64, tokens: [Token])
    /// Appends a message. Needs the right `append`. Answered by `accepted` once the message is on disk.
    case append(channel: ChannelID, epoch: UInt64, id: EntryID, payload: ArraySlice<UInt8>)
    /// If `epoch` is the current epoch, ends `epoch` and opens the next epoch with `nextAccess`. Needs the right `turn`. Answered
    /// by `accepted`.
    case turn(channel: ChannelID, epoch: UInt64, id: EntryID, payload: ArraySlice<UInt8>, nextAccess: Access)
    /// Streams the epoch's entries from `fromSeq` on. Needs the right `read`. Answered by `following`, then `entries`, and
    /// `epochEnded` after the turn.
    case follow(channel: ChannelID, epoch: UInt64, fromSeq: UInt64)
    /// Ends this connection's follow of the channel. Answered by `done`.
    case unfollow(channel: ChannelID)
    /// Sends a payload to the epoch's current followers. The relay does not store the payload. Needs the right `append`. Answered
    /// by `done`.
    case whisper(channel: ChannelID, epoch: UInt64, payload: ArraySlice<UInt8>)
    /// Closes the channel and deletes everything in it. Needs the right `turn`. Answered by `done`.
    case close(channel: ChannelID)
    /// Adds key packages to an inbox. A new last-resort key package replaces the old one. Needs the right `turn`. Answered by
    /// `done`.
    case deposit(channel: ChannelID, keyPackages: [KeyPackageBytes], lastResort: KeyPackageBytes?)
    /// Takes one key package from an inbox. Needs the right `append`. Answered by `keyPackage`.
    case withdraw(channel: ChannelID)
    /// Registers a record under a name. Answered by `done`.
    case register(name: Name, record: UnverifiedNameRecord)
    /// Requests the record under a name. Answered by `record`.
    case lookup(name: Name)
    /// Keeps an idle connection open. Answered by `done`.
    case ping
    /// Drops an inbox's entries through `throughSeq`, which frees space in the inbox. Needs the right `turn`. Answered by `done`,
    /// even if the entries are already gone.
    case trim(channel: ChannelID, throughSeq: UInt64)
    /// Reserves space for a blob. Needs the right `append` in the current epoch of a log. Answered by `done`, even if an earlier
    /// request has already reserved space for this blob. The blob's bytes travel over HTTP (see ``BlobRequest``).
    case createBlob(channel: ChannelID, epoch: UInt64, blob: NewBlob)
}

/// The kind of a channel: `enum { log(0), inbox(1), (255) } ChannelKind;`. When a channel has reached its maximum size, the
/// relay's action depends on the kind.
public enum ChannelKind: UInt8, Hashable, Sendable, CaseIterable, TLSCodable {
    /// A conversation. When a log is full, the relay drops the oldest entries.
    case log = 0
    /// A queue of letters that wait for the inbox's owner. When an inbox is full, the relay refuses new letters until the owner
    /// trims the inbox. An inbox has only one epoch.
    case inbox = 1

    /// Writes one byte.
    public func encode(into writer: inout TLSWriter) { writer.write(rawValue) }

    /// Reads one byte.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let value = try reader.readUInt8()
        guard let kind = ChannelKind(rawValue: value) else {
            throw .unknownValue(field: "ChannelKind", value: UInt64(value))
        }
        self = kind
    }
}

/// A secret that a relay may require of its users. At most ``WireLimits/relayPass`` bytes. A pass is never printed.
public struct RelayPass: Hashable, Sendable, TLSCodable, CustomStringConvertible, CustomReflectable {
    let bytes: [UInt8]

    /// Creates a pass from its text; `nil` if the text is empty or too long.
    public init?(_ text: String) {
        guard (1...WireLimits.relayPass).contains(text.utf8.count) else { return nil }
        bytes = Array(text.utf8)
    }

    /// If the lengths are equal, compares all bytes without an early exit.
    public static func == (left: RelayPass, right: RelayPass) -> Bool {
        guard left.bytes.count == right.bytes.count else { return false }
        return zip(left.bytes, right.bytes).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// A fixed text without the bytes.
    public var description: String { "RelayPass(secret)" }

    /// Empty, so that debuggers and `dump` show no byte.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }

    /// Writes an `opaque<V>`.
    public func encode(into writer: inout TLSWriter) { writer.writeOpaque(bytes) }

    /// Reads an `opaque<V>`.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        bytes = Array(try reader.readOpaque(limit: WireLimits.relayPass))
    }
}

/// An encoded key package, whose bytes look random to the relay. At most ``WireLimits/keyPackage`` bytes.
public struct KeyPackageBytes: Hashable, Sendable, TLSCodable {
    /// The encoding.
    public let bytes: ArraySlice<UInt8>

    /// Creates a value from an encoding.
    public init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// Writes an `opaque<V>`.
    public func encode(into writer: inout TLSWriter) { writer.writeOpaque(bytes) }

    /// Reads an `opaque<V>`.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        bytes = try reader.readOpaque(limit: WireLimits.keyPackage)
    }
}

extension Request {
    /// The channel that the request is about, or `nil` if there is none.
    package var channel: ChannelID? {
        switch self {
        case .create(let channel, _, _, _), .present(let channel, _, _), .append(let channel, _, _, _),
            .turn(let channel, _, _, _, _), .follow(let channel, _, _), .unfollow(let channel),
            .whisper(let channel, _, _), .close(let channel), .deposit(let channel, _, _), .withdraw(let channel),
            .trim(let channel, _), .createBlob(let channel, _, _):
            channel
        case .hello, .register, .lookup, .ping: nil
        }
    }
}

/// `struct { RequestType type; uint32 requestID; select (type) … } ClientFrame;` — one WebSocket message to the relay.
public struct ClientFrame: Equatable, Sendable, TLSCodable {
    /// Number that the client chose, and that the answer repeats.
    public let requestID: UInt32
    /// The request.
    public let request: Request

    /// Creates a frame from its fields.
    public init(requestID: UInt32, request: Request) {
        self.requestID = requestID
        self.request = request
    }

    private enum RequestType: UInt8 {
        case hello = 1
        case create, present, append, turn, follow, unfollow, whisper, close, deposit, withdraw, register, lookup, ping,
            trim, createBlob
    }

    /// Writes type, number and fields.
    public func encode(into writer: inout TLSWriter) {
        func begin(_ type: RequestType) {
            writer.write(type.rawValue)
            writer.write(requestID)
        }
        switch request {
        case .hello(let versions, let relayPass):
            begin(.hello)
            writer.writeVector(versions)
            writer.writeOptional(relayPass)
        case .create(let channel, let kind, let access, let retentionSeconds):
            begin(.create)
            writer.write(channel)
            writer.write(kind)
            writer.write(access)
            writer.writeOptional(retentionSeconds)
        case .present(let channel, let epoch, let tokens):
            begin(.present)
            writer.write(channel)
            writer.write(epoch)
            writer.writeVector(tokens)
        case .append(let channel, let epoch, let id, let payload):
            begin(.append)
            writer.write(channel)
            writer.write(epoch)
            writer.write(id)
            writer.writeOpaque(payload)
        case .turn(let channel, let epoch, let id, let payload, let nextAccess):
            begin(.turn)
            writer.write(channel)
            writer.write(epoch)
            writer.write(id)
            writer.writeOpaque(payload)
            writer.write(nextAccess)
        case .follow(let channel, let epoch, let fromSeq):
            begin(.follow)
            writer.write(channel)
            writer.write(epoch)
            writer.write(fromSeq)
        case .unfollow(let channel):
            begin(.unfollow)
            writer.write(channel)
        case .whisper(let channel, let epoch, let payload):
            begin(.whisper)
            writer.write(channel)
            writer.write(epoch)
            writer.writeOpaque(payload)
        case .close(let channel):
            begin(.close)
            writer.write(channel)
        case .deposit(let channel, let keyPackages, let lastResort):
            begin(.deposit)
            writer.write(channel)
            writer.writeVector(keyPackages)
            writer.writeOptional(lastResort)
        case .withdraw(let channel):
            begin(.withdraw)
            writer.write(channel)
        case .register(let name, let record):
            begin(.register)
            writer.write(name)
            writer.write(record)
        case .lookup(let name):
            begin(.lookup)
            writer.write(name)
        case .ping:
            begin(.ping)
        case .trim(let channel, let throughSeq):
            begin(.trim)
            writer.write(channel)
            writer.write(throughSeq)
        case .createBlob(let channel, let epoch, let blob):
            begin(.createBlob)
            writer.write(channel)
            writer.write(epoch)
            writer.write(blob)
        }
    }

    /// Reads type, number and fields.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let value = try reader.readUInt8()
        guard let type = RequestType(rawValue: value) else {
            throw .unknownValue(field: "RequestType", value: UInt64(value))
        }
        requestID = try reader.readUInt32()
        request =
            switch type {
            case .hello:
                .hello(
                    versions: try reader.readVector(limit: 2 * WireLimits.versions),
                    relayPass: try reader.readOptional())
            case .create:
                .create(
                    channel: try reader.read(), kind: try reader.read(), access: try reader.read(),
                    retentionSeconds: try reader.readOptional())
            case .present:
                .present(
                    channel: try reader.read(), epoch: try reader.readUInt64(),
                    tokens: try reader.readVector(limit: 32 * WireLimits.tokens))
            case .append:
                .append(
                    channel: try reader.read(), epoch: try reader.readUInt64(), id: try reader.read(),
                    payload: try reader.readOpaque(limit: WireLimits.payload))
            case .turn:
                .turn(
                    channel: try reader.read(), epoch: try reader.readUInt64(), id: try reader.read(),
                    payload: try reader.readOpaque(limit: WireLimits.payload), nextAccess: try reader.read())
            case .follow:
                .follow(channel: try reader.read(), epoch: try reader.readUInt64(), fromSeq: try reader.readUInt64())
            case .unfollow:
                .unfollow(channel: try reader.read())
            case .whisper:
                .whisper(
                    channel: try reader.read(), epoch: try reader.readUInt64(),
                    payload: try reader.readOpaque(limit: WireLimits.payload))
            case .close:
                .close(channel: try reader.read())
            case .deposit:
                .deposit(
                    channel: try reader.read(),
                    keyPackages: try reader.readVector(maximumCount: WireLimits.keyPackagesPerDeposit),
                    lastResort: try reader.readOptional())
            case .withdraw:
                .withdraw(channel: try reader.read())
            case .register:
                .register(name: try reader.read(), record: try reader.read())
            case .lookup:
                .lookup(name: try reader.read())
            case .ping:
                .ping
            case .trim:
                .trim(channel: try reader.read(), throughSeq: try reader.readUInt64())
            case .createBlob:
                .createBlob(channel: try reader.read(), epoch: try reader.readUInt64(), blob: try reader.read())
            }
    }
}
