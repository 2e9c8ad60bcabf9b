import TLSCodec

/// The limits that a relay announces to its clients. Sizes are in bytes.
///
/// `struct { uint32 payload; uint32 frame; uint32 requestsPerSecond; uint32 requestBurst; uint32 idleSeconds;
/// uint32 follows; uint32 retentionSeconds; } Limits;`
public struct AdvertisedLimits: Hashable, Sendable, TLSCodable {
    /// Maximum size of an entry's payload, in bytes.
    public var payload: UInt32
    /// Maximum size of a frame, in bytes.
    public var frame: UInt32
    /// Maximum number of requests that a connection may make each second, on average.
    public var requestsPerSecond: UInt32
    /// Maximum number of requests that a connection may make at once.
    public var requestBurst: UInt32
    /// Maximum time without a WebSocket frame from the client, in seconds. The relay closes a connection that is silent for
    /// longer.
    public var idleSeconds: UInt32
    /// Maximum number of channels that one connection may follow at the same time.
    public var follows: UInt32
    /// Longest time for which the relay keeps entries, in seconds.
    public var retentionSeconds: UInt32

    /// Creates limits from their values.
    public init(
        payload: UInt32, frame: UInt32, requestsPerSecond: UInt32, requestBurst: UInt32, idleSeconds: UInt32,
        follows: UInt32, retentionSeconds: UInt32
    ) {
        self.payload = payload
        self.frame = frame
        self.requestsPerSecond = requestsPerSecond
        self.requestBurst = requestBurst
        self.idleSeconds = idleSeconds
        self.follows = follows
        self.retentionSeconds = retentionSeconds
    }

    /// Writes the fields in order.
    public func encode(into writer: inout TLSWriter) {
        for value in [payload, frame, requestsPerSecond, requestBurst, idleSeconds, follows, retentionSeconds] {
            writer.write(value)
        }
    }

    /// Reads the fields in order.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        payload = try reader.readUInt32()
        frame = try reader.readUInt32()
        requestsPerSecond = try reader.readUInt32()
        requestBurst = try reader.readUInt32()
        idleSeconds = try reader.readUInt32()
        follows = try reader.readUInt32()
        retentionSeconds = try reader.readUInt32()
    }
}

/// The content of a relay's frame: the answer to a request, or an event of a follow.
public enum Reply: Hashable, Sendable {
    /// Answers `hello`. `relayID` is 16 random bytes that do not change as long as the relay keeps its store. `timeMs` is the
    /// relay's clock at the time of the answer, in milliseconds since 1970.
    case welcome(version: UInt16, relayID: [UInt8], limits: AdvertisedLimits, timeMs: UInt64)
    /// Answers a request that has no result. The request is done, and its changes are on disk.
    case done
    /// Answers `present` with the rights that the tokens give in the epoch.
    case granted(Rights)
    /// Answers `append` and `turn`. The entry is on disk with the number `seq`.
    case accepted(seq: UInt64)
    /// Answers `follow`. `lastSeq` is the number of the epoch's last entry so far. `firstSeq` is the number of the first entry
    /// that the relay will send. The entry `firstSeq` may not exist yet.
    case following(firstSeq: UInt64, lastSeq: UInt64)
    /// Event of a follow: consecutive entries. The frame has the number of the follow's request.
    case entries(channel: ChannelID, entries: [Entry])
    /// Event of a follow: the epoch's last entry has been sent, and the follow is over.
    case epochEnded(channel: ChannelID, epoch: UInt64)
    /// Event of a follow: a whispered payload. The relay does not store the payload.
    case whispered(channel: ChannelID, epoch: UInt64, payload: ArraySlice<UInt8>)
    /// Answers `withdraw`. If `isLastResort` is `true`, the relay may give this key package to several clients.
    case keyPackage(KeyPackageBytes, isLastResort: Bool)
    /// Answers `lookup`.
    case record(UnverifiedNameRecord)
    /// Refuses a request, or ends a follow.
    case error(RelayError)
}

/// `struct { ReplyType type; uint32 requestID; select (type) … } RelayFrame;` — one WebSocket message from the relay.
public struct RelayFrame: Hashable, Sendable, TLSCodable {
    /// Number of the request that the frame answers; 0 if the request could not be read.
    public let requestID: UInt32
    /// The answer or event.
    public let reply: Reply

    /// Creates a frame from its fields.
    public init(requestID: UInt32, reply: Reply) {
        self.requestID = requestID
        self.reply = reply
    }

    private enum ReplyType: UInt8 {
        case welcome = 1
        case done, granted, accepted, following, entries, epochEnded, whispered, keyPackage, record, error
    }

    /// Writes type, number and fields.
    public func encode(into writer: inout TLSWriter) {
        func begin(_ type: ReplyType) {
            writer.write(type.rawValue)
            writer.write(requestID)
        }
        switch reply {
        case .welcome(let version, let relayID, let limits, let timeMs):
            begin(.welcome)
            writer.write(version)
            writer.writeOpaque(relayID)
            writer.write(limits)
            writer.write(timeMs)
        case .done:
            begin(.done)
        case .granted(let rights):
            begin(.granted)
            writer.write(rights.rawValue)
        case .accepted(let seq):
            begin(.accepted)
            writer.write(seq)
        case .following(let firstSeq, let lastSeq):
            begin(.following)
            writer.write(firstSeq)
            writer.write(lastSeq)
        case .entries(let channel, let entries):
            begin(.entries)
            writer.write(channel)
            writer.writeVector(entries)
        case .epochEnded(let channel, let epoch):
            begin(.epochEnded)
            writer.write(channel)
            writer.write(epoch)
        case .whispered(let channel, let epoch, let payload):
            begin(.whispered)
            writer.write(channel)
            writer.write(epoch)
            writer.writeOpaque(payload)
        case .keyPackage(let keyPackage, let isLastResort):
            begin(.keyPackage)
            writer.write(keyPackage)
            writer.write(isLastResort ? 1 as UInt8 : 0)
        case .record(let record):
            begin(.record)
            writer.write(record)
        case .error(let error):
            begin(.error)
            writer.write(error)
        }
    }

    /// Reads type, number and fields.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let value = try reader.readUInt8()
        guard let type = ReplyType(rawValue: value) else {
            throw .unknownValue(field: "ReplyType", value: UInt64(value))
        }
        requestID = try reader.readUInt32()
        reply =
            switch type {
            case .welcome:
                .welcome(
                    version: try reader.readUInt16(), relayID: Array(try reader.readOpaque(limit: 64)),
                    limits: try reader.read(), timeMs: try reader.readUInt64())
            case .done:
                .done
            case .granted:
                .granted(Rights(rawValue: try reader.readUInt8()))
            case .accepted:
                .accepted(seq: try reader.readUInt64())
            case .following:
                .following(firstSeq: try reader.readUInt64(), lastSeq: try reader.readUInt64())
            case .entries:
                .entries(
                    channel: try reader.read(),
                    entries: try reader.readVector(maximumCount: WireLimits.entriesPerFrame))
            case .epochEnded:
                .epochEnded(channel: try reader.read(), epoch: try reader.readUInt64())
            case .whispered:
                .whispered(
                    channel: try reader.read(), epoch: try reader.readUInt64(),
                    payload: try reader.readOpaque(limit: WireLimits.payload))
            case .keyPackage:
                .keyPackage(try reader.read(), isLastResort: try reader.readPresence())
            case .record:
                .record(try reader.read())
            case .error:
                .error(try reader.read())
            }
    }
}
