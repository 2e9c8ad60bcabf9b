import KithWire
import MLS

extension ChannelID {
    /// Creates a random id with a source of random bytes.
    static func random(from source: RandomSource) -> ChannelID {
        var generator = SourceGenerator(source: source)
        return random(using: &generator)
    }
}

extension EntryID {
    /// Creates a random id with a source of random bytes.
    static func random(from source: RandomSource) -> EntryID {
        var generator = SourceGenerator(source: source)
        return random(using: &generator)
    }
}

extension Token {
    /// Creates a random token with a source of random bytes.
    static func random(from source: RandomSource) -> Token {
        // This cannot fail, because any 32 bytes are a token.
        Token(source.bytes(32)) ?? .random()
    }
}

/// A generator whose numbers come from a source of random bytes, so that a run can be repeated.
struct SourceGenerator: RandomNumberGenerator {
    let source: RandomSource

    mutating func next() -> UInt64 { source.bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
