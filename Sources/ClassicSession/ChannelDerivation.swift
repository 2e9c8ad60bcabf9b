import Crypto
import Foundation
import TLSCodec

/// The relay channel on which two users meet. The channel is derived from the two ids only.
///
/// Normative. Let `first` and `second` be the two ids (``ClassicID``: normalization form C, UTF-8) in the order of their bytes.
/// With the vectors of RFC 9420 §2.1.2:
///
///     struct { opaque first<V>; opaque second<V>; } Pair;
///
///     prk         = HKDF-SHA256-Extract(salt = "kith classic channel v1", ikm = Pair)
///     channelID   = HKDF-SHA256-Expand(prk, info = "channel id",   32)
///     readToken   = HKDF-SHA256-Expand(prk, info = "read token",   32)
///     appendToken = HKDF-SHA256-Expand(prk, info = "append token", 32)
///     turnToken   = HKDF-SHA256-Expand(prk, info = "turn token",   32)
///
/// Anyone who knows both ids can compute all four values, and can therefore read the channel, append to it, or close it. The
/// tokens only let the two users find each other. The users must verify each other's keys to be protected.
public struct ChannelDerivation: Hashable, Sendable {
    /// The channel's id, 32 bytes.
    public let channelID: [UInt8]
    /// The token that opens the channel for reading, 32 bytes.
    public let readToken: [UInt8]
    /// The token that allows appending to the channel, 32 bytes.
    public let appendToken: [UInt8]
    /// The token that allows turning or closing the channel, 32 bytes.
    public let turnToken: [UInt8]

    /// Derives the channel of two users. The order of the ids makes no difference.
    ///
    /// - Throws: ``ClassicIDError/sameAsPeer`` if the two ids are equal.
    public init(_ one: ClassicID, _ other: ClassicID) throws(ClassicIDError) {
        let pair = try ClassicPair(one, other)
        var writer = TLSWriter(capacity: 2 * ClassicLimits.idBytes + 4)
        writer.writeOpaque(pair.first.bytes)
        writer.writeOpaque(pair.second.bytes)
        let key = HKDF<SHA256>.extract(
            inputKeyMaterial: SymmetricKey(data: writer.bytes), salt: Array("kith classic channel v1".utf8))
        func expand(_ info: String) -> [UInt8] {
            HKDF<SHA256>.expand(pseudoRandomKey: key, info: Array(info.utf8), outputByteCount: 32)
                .withUnsafeBytes { Array($0) }
        }
        channelID = expand("channel id")
        readToken = expand("read token")
        appendToken = expand("append token")
        turnToken = expand("turn token")
    }
}
