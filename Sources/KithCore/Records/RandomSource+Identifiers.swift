import KithWire
import MLS

extension ChannelID {
    /// A fresh id from a source of randomness.
    static func random(from source: RandomSource) -> ChannelID {
        var generator = SourceGenerator(source: source)
        return random(using: &generator)
    }
}

extension EntryID {
    /// A fresh id from a source of randomness.
    static func random(from source: RandomSource) -> EntryID {
        var generator = SourceGenerator(source: source)
        return random(using: &generator)
    }
}

extension Token {
    /// A fresh token from a source of randomness.
    static func random(from source: RandomSource) -> Token {
        // Any 32 bytes are a token.
        Token(source.bytes(32)) ?? .random()
    }
}

/// A generator that draws from a source, so that a run can be repeated.
struct SourceGenerator: RandomNumberGenerator {
    let source: RandomSource

    mutating func next() -> UInt64 { source.bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
