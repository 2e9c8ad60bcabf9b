import TLSCodec

/// A refusal: a code to act on and a sentence to show. The refused request changed nothing.
public struct RelayError: Error, Hashable, Sendable, TLSCodable {
    /// The kind of refusal.
    public enum Code: UInt8, Sendable, CaseIterable {
        /// The frame does not parse. The relay closes the connection after it.
        case badFrame = 1
        /// No version in common.
        case badVersion = 2
        /// The relay requires a pass, and got none or another one.
        case passRequired = 3
        /// No such channel or name, or no right to it: the relay does not say which.
        case denied = 4
        /// The channel or name exists already.
        case exists = 5
        /// The channel was closed.
        case gone = 6
        /// The channel is in another epoch: `detail` is its number.
        case staleEpoch = 7
        /// Entries before seq `detail` are no longer kept.
        case trimmed = 8
        /// The frame, payload or batch is over a limit: `detail` is the limit.
        case tooLarge = 9
        /// Too many connections, follows or channels: `detail` is the limit.
        case tooMany = 10
        /// Too many requests, or too much for the connection's address: try again after `retryAfterMs`.
        case tooFast = 11
        /// The disk, the inbox or its shelf is full.
        case full = 12
        /// The relay cannot serve the request now: its store failed, or it is shutting down.
        case unavailable = 13
        /// The name has no record, or the inbox no key package. Only clients with a right to know get this answer.
        case notFound = 14
    }

    /// The kind of refusal.
    public let code: Code
    /// A number whose meaning depends on the code, or 0.
    public let detail: UInt64
    /// Time after which to try again, in milliseconds; 0 if waiting does not help.
    public let retryAfterMs: UInt32
    /// One sentence in English from the relay's source, never a piece of a request. At most ``WireLimits/sentence``
    /// bytes.
    public let sentence: String

    /// A refusal from its fields.
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

    /// Reads code, detail, retry-after and sentence. Removes control characters from the sentence, since it is shown on
    /// terminals.
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
    /// The sentence with the code's name.
    public var description: String { "\(sentence) (\(code))" }
}
