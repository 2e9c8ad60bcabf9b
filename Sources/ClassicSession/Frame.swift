import TLSCodec

/// A message that one user sends the other over the channel.
///
/// Normative. Vectors are those of RFC 9420 §2.1.2.
///
///     enum { hello(1), publicKey(2), proof(3), wrappedKey(4), message(5), bye(6), (255) } FrameType;
///     enum { first(1), second(2), (255) } Side;
///     opaque RunID[16];
///
///     struct {
///         uint8 version = 1;
///         FrameType type;
///         Side sender;
///         RunID from;
///         select (type) {
///             case hello:      struct {};
///             case publicKey:  struct { RunID to; PublicKeyOffer; };
///             case proof:      struct { RunID to; opaque signature<V>; };
///             case wrappedKey: struct { RunID to; WrappedKey; };
///             case message:    struct { RunID to; SealedMessage; };
///             case bye:        struct { RunID to; SealedMessage; };
///         };
///     } Frame;
///
/// A parsed frame is only a claim. No value in the frame is trusted before it was verified.
struct Frame: Hashable, Sendable {
    enum Body: Hashable, Sendable {
        case hello
        case publicKey(PublicKeyOffer)
        case proof(signature: [UInt8])
        case wrappedKey(WrappedKey)
        case sealed(SealedMessage)
    }

    /// The side that the frame names, perhaps falsely, as its sender.
    var sender: Side
    /// The run that the frame names, perhaps falsely, as its origin.
    var from: RunID
    /// The run to which the frame is addressed; `nil` for a hello. A hello is addressed to every reader.
    var to: RunID?
    var body: Body

    static let version: UInt8 = 1
}

/// `struct { opaque id<V>; opaque subjectPublicKeyInfo<V>; opaque nonce[32]; } PublicKeyOffer;`
struct PublicKeyOffer: Hashable, Sendable, TLSCodable {
    static let nonceBytes = 32

    var id: [UInt8]
    var subjectPublicKeyInfo: [UInt8]
    var nonce: [UInt8]

    init(id: [UInt8], subjectPublicKeyInfo: [UInt8], nonce: [UInt8]) {
        self.id = id
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.nonce = nonce
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        id = Array(try reader.readOpaque(limit: ClassicLimits.idBytes))
        subjectPublicKeyInfo = Array(try reader.readOpaque(limit: ClassicLimits.publicKeyBytes))
        nonce = Array(try reader.readBytes(Self.nonceBytes))
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeOpaque(id)
        writer.writeOpaque(subjectPublicKeyInfo)
        writer.writeBytes(nonce)
    }
}

/// `struct { opaque wrapped<V>; opaque signature<V>; } WrappedKey;`
struct WrappedKey: Hashable, Sendable, TLSCodable {
    var wrapped: [UInt8]
    var signature: [UInt8]

    init(wrapped: [UInt8], signature: [UInt8]) {
        self.wrapped = wrapped
        self.signature = signature
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        wrapped = Array(try reader.readOpaque(limit: ClassicLimits.rsaOutputBytes))
        signature = Array(try reader.readOpaque(limit: ClassicLimits.rsaOutputBytes))
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeOpaque(wrapped)
        writer.writeOpaque(signature)
    }
}

/// `struct { uint64 number; opaque iv[16]; opaque ciphertext<V>; opaque mac[32]; } SealedMessage;`
struct SealedMessage: Hashable, Sendable {
    /// The kind of sealed content. The kind is also the frame's type. The MAC includes the kind, so nobody can change one kind
    /// into the other.
    enum Kind: UInt8, Hashable, Sendable {
        case message = 5
        case bye = 6
    }

    static let ivBytes = 16
    static let macBytes = 32

    var kind: Kind
    /// The number of the message. Each side numbers its messages from 1 on, without gaps.
    var number: UInt64
    var iv: [UInt8]
    var ciphertext: [UInt8]
    var mac: [UInt8]
}

extension Frame: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "version", value: UInt64(version)) }
        let type = try reader.readUInt8()
        let rawSender = try reader.readUInt8()
        guard let sender = Side(rawValue: rawSender) else {
            throw .unknownValue(field: "sender", value: UInt64(rawSender))
        }
        self.sender = sender
        from = try reader.read()
        if type == 1 {
            to = nil
            body = .hello
            return
        }
        to = try reader.read(RunID.self)
        switch type {
        case 2: body = .publicKey(try reader.read())
        case 3: body = .proof(signature: Array(try reader.readOpaque(limit: ClassicLimits.rsaOutputBytes)))
        case 4: body = .wrappedKey(try reader.read())
        default:
            guard let kind = SealedMessage.Kind(rawValue: type) else {
                throw .unknownValue(field: "type", value: UInt64(type))
            }
            body = .sealed(
                SealedMessage(
                    kind: kind,
                    number: try reader.readUInt64(),
                    iv: Array(try reader.readBytes(SealedMessage.ivBytes)),
                    ciphertext: Array(try reader.readOpaque(limit: ClassicLimits.textBytes + 16)),
                    mac: Array(try reader.readBytes(SealedMessage.macBytes))))
        }
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(Self.version)
        writer.write(type)
        writer.write(sender.rawValue)
        writer.write(from)
        if let to { writer.write(to) }
        switch body {
        case .hello: break
        case .publicKey(let offer): writer.write(offer)
        case .proof(let signature): writer.writeOpaque(signature)
        case .wrappedKey(let key): writer.write(key)
        case .sealed(let sealed):
            writer.write(sealed.number)
            writer.writeBytes(sealed.iv)
            writer.writeOpaque(sealed.ciphertext)
            writer.writeBytes(sealed.mac)
        }
    }

    private var type: UInt8 {
        switch body {
        case .hello: 1
        case .publicKey: 2
        case .proof: 3
        case .wrappedKey: 4
        case .sealed(let sealed): sealed.kind.rawValue
        }
    }
}
