import TLSCodec

/// A refusal: a code to act on and a sentence to show. Nothing was changed by the request it answers.
public struct RelayError: Error, Hashable, Sendable, TLSCodable {
    /// What kind of refusal it is.
    public enum Code: UInt8, Sendable, CaseIterable {
        /// The frame does not parse. The relay closes the connection after it.
        case badFrame = 1
        /// No version in common.
        case badVersion = 2
        /// The relay wants a pass, and got none or another.
        case passRequired = 3
        /// No such channel or name, or no right to it: the relay does not say which.
        case denied = 4
        /// There is such a channel or name already.
        case exists = 5
        /// The channel was closed.
        case gone = 6
        /// The channel is in another epoch: `detail` says which.
        case staleEpoch = 7
        /// Entries before seq `detail` are no longer kept.
        case trimmed = 8
        /// The frame, payload or batch is over a limit: `detail` is the limit.
        case tooLarge = 9
        /// Too many connections, follows or channels: `detail` is the limit.
        case tooMany = 10
        /// Too many requests, or too much for the connection's address: try again after `retryAfterMs`.
        case tooFast = 11
        /// No room: the disk, the inbox or its shelf is full.
        case full = 12
        /// The relay cannot do it now: its store failed, or it is shutting down.
        case unavailable = 13
        /// There is nothing under that name, or no key package in the inbox. Said only to those who may know.
        case notFound = 14
    }

    /// What kind of refusal it is.
    public let code: Code
    /// A number that belongs to the code, or 0.
    public let detail: UInt64
    /// When to try again, in milliseconds; 0 where waiting does not help.
    public let retryAfterMs: UInt32
    /// One sentence in English, from the relay's source: never a piece of a request. At most ``WireLimits/sentence``
    /// bytes.
    public let sentence: String

    /// A refusal.
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

    /// Reads code, detail, retry-after and sentence. Control characters are taken out of the sentence, since it is shown
    /// on terminals.
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
