import TLSCodec

/// A relay's refusal of a request: a code for the program and a sentence for the user. The refused request changed nothing.
public struct RelayError: Error, Hashable, Sendable, TLSCodable {
    /// The kind of refusal.
    public enum Code: UInt8, Sendable, CaseIterable {
        /// The frame cannot be parsed. The relay closes the connection after this error.
        case badFrame = 1
        /// The client and the relay support no common version.
        case badVersion = 2
        /// The relay requires a pass, and the client gave none or a wrong one.
        case passRequired = 3
        /// The channel, name or blob does not exist, or the client has no right to it. The answer does not reveal whether it
        /// exists.
        case denied = 4
        /// A channel, name or blob with this identifier exists already.
        case exists = 5
        /// The channel was closed, or a later upload of the blob has begun.
        case gone = 6
        /// The channel is in a different epoch. `detail` is the number of the current epoch.
        case staleEpoch = 7
        /// Entries before seq `detail` have been deleted.
        case trimmed = 8
        /// A field of the frame, or a blob, exceeds a limit. `detail` is the limit. If an upload exceeds the blob's size,
        /// `detail` is 0.
        case tooLarge = 9
        /// There are too many follows, channels or transfers of blobs. `detail` is the limit.
        case tooMany = 10
        /// The client makes too many requests, or its network address uses too much of the relay's capacity. The client may try
        /// again after `retryAfterMs`.
        case tooFast = 11
        /// The relay's disk, the inbox, or the inbox's store of key packages is full.
        case full = 12
        /// The relay cannot serve the request now: its store failed, or it is shutting down.
        case unavailable = 13
        /// The name has no record, or the inbox has no key package. A client that may not take key packages from the inbox gets
        /// ``denied`` instead.
        case notFound = 14
        /// The upload of a blob does not begin right after the bytes that the relay has. `detail` is the number of bytes that the
        /// relay has.
        case wrongOffset = 15
    }

    /// The kind of refusal.
    public let code: Code
    /// A number whose meaning depends on the code, or 0.
    public let detail: UInt64
    /// Time after which the client may try again, in milliseconds; 0 if a later attempt does not help.
    public let retryAfterMs: UInt32
    /// One English sentence from the relay's source code. The sentence never repeats a part of the request. At most
    /// ``WireLimits/sentence`` bytes.
    public let sentence: String

    /// Creates a refusal from its fields.
    public init(_ code: Code, _ sentence: String, detail: UInt64 = 0, retryAfterMs: UInt32 = 0) {
        self.code = code
        self.sentence = sentence
        self.detail = detail
        self.retryAfterMs = retryAfterMs
    }

    /// Writes code, detail, retry-after and sentence.
    public func encode(into writer: inout TLSWriter) {
        writer.write(code.rawValue)
        writer.write(detail)
        writer.write(retryAfterMs)
        writer.writeOpaque(Array(sentence.utf8.prefix(WireLimits.sentence)))
    }

    /// Reads code, detail, retry-after and sentence. Removes control characters from the sentence: terminals show the sentence.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let value = try reader.readUInt8()
        guard let code = Code(rawValue: value) else {
            throw .unknownValue(field: "RelayError.code", value: UInt64(value))
        }
        self.code = code
        detail = try reader.readUInt64()
        retryAfterMs = try reader.readUInt32()
        let text = String(decoding: try reader.readOpaque(limit: WireLimits.sentence), as: UTF8.self)
        sentence = String(
            String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }))
    }
}

extension RelayError: CustomStringConvertible {
    /// The sentence, followed by the code's name.
    public var description: String { "\(sentence) (\(code))" }
}
