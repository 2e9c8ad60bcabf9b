/// The reason why bytes cannot be decoded. A failed decoding changes only the reader.
public enum TLSCodecError: Error, Hashable, Sendable {
    /// The input ended inside a value, or a length runs past the end of the input.
    case truncated
    /// A length was not encoded in its shortest form (RFC 9420 §2.1.2).
    case nonMinimalLength
    /// A length began with the undefined prefix `11` (RFC 9420 §2.1.2).
    case invalidLengthPrefix
    /// A vector has more bytes, or more values, than the caller allows.
    case tooLong(limit: Int)
    /// A vector has fewer bytes than the caller requires.
    case tooShort(minimum: Int)
    /// The input has more bytes than the value. The associated value is the number of bytes left over.
    case trailingBytes(Int)
    /// The presence octet of an `optional<T>` was neither 0 nor 1 (RFC 9420 §2.1.1).
    case invalidPresence(UInt8)
    /// A field contains an undefined number.
    case unknownValue(field: StaticFieldName, value: UInt64)
}

/// The name of a field in an error. The name is always a literal in the source code. The name never contains input.
public struct StaticFieldName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name as the specification spells it.
    public let description: String

    /// Creates a name from a literal.
    public init(stringLiteral value: StaticString) {
        description = "\(value)"
    }
}

extension TLSCodecError: CustomStringConvertible {
    /// The error as one sentence. The sentence contains no byte of the input.
    public var description: String {
        switch self {
        case .truncated: "the input ends inside a value"
        case .nonMinimalLength: "a length is not in its shortest form"
        case .invalidLengthPrefix: "a length starts with an undefined prefix"
        case .tooLong(let limit): "a vector is longer than the \(limit) allowed"
        case .tooShort(let minimum): "a vector is shorter than the \(minimum) bytes it must have"
        case .trailingBytes(let count): "\(count) bytes are left over after the value"
        case .invalidPresence(let octet): "a presence octet is \(octet), neither 0 nor 1"
        case .unknownValue(let field, let value): "\(field) has the undefined value \(value)"
        }
    }
}
