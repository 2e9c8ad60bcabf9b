import KithWire
import MLS
import TLSCodec
import Testing

@testable import KithCore

@Suite("Whispers")
struct WhisperTests {
    private static let view = LogView(seq: 7, hash: [UInt8](repeating: 4, count: 32), previous: LogView.noPrevious)
    private static let nonce = [UInt8](repeating: 5, count: 32)
    private static let kinds: [Whisper.Kind] = [
        .challenge, .answer(to: LeafIndex(rawValue: 3), challenge: [UInt8](repeating: 6, count: 32)),
        .typing(at: 1_750_000_000_000),
    ]

    private func whisper(_ kind: Whisper.Kind) -> Whisper {
        Whisper(
            kind, from: LeafIndex(rawValue: 1), nonce: Self.nonce, view: Self.view,
            signature: [UInt8](repeating: 8, count: 64))
    }

    private func group(on channel: ChannelID) throws -> Group {
        let device = try DeviceState.sample()
        return try Group(
            creating: channel.bytes, suite: device.identity.suite, client: device.identity.client,
            lifetime: Lifetime(ofKeyPackageMadeAt: device.wall / 1000), in: device.environment)
    }

    @Test("each type has one encoding", arguments: kinds)
    func encoding(_ kind: Whisper.Kind) throws {
        #expect(try Whisper(decoding: whisper(kind).encoded) == whisper(kind))
        #expect(throws: TLSCodecError.self) { try Whisper(decoding: whisper(kind).encoded + [0]) }
    }

    @Test("a report about typing, byte by byte")
    func typing() {
        let bytes: [UInt8] = [3, 0, 0, 0, 1] + Self.nonce + [0, 0, 1, 0x97, 0x73, 0x42, 0x94, 0x00]
        #expect(whisper(.typing(at: 0x0197_7342_9400)).encoded.starts(with: bytes))
        #expect(whisper(.typing(at: 1)).encoded.count == 1 + 4 + 32 + 8 + 72 + 2 + 64)
    }

    @Test("a type that this version does not know is ignored, and so is padding that is not zero")
    func unknown() throws {
        let channel = ChannelID.random()
        let group = try group(on: channel)
        let whole = try #require(try whisper(.challenge).sealed(on: channel, in: group, random: .system))
        #expect(try Whisper(opening: whole[...], on: channel, in: group) == whisper(.challenge))
        let other = try #require(try whisper(.challenge).sealed(on: .random(), in: group, random: .system))
        #expect(try Whisper(opening: other[...], on: channel, in: group) == nil)
        #expect(throws: TLSCodecError.self) { try Whisper(decoding: [4] + whisper(.challenge).encoded.dropFirst()) }
    }

    @Test("the length of a whisper does not tell its type")
    func length() throws {
        let channel = ChannelID.random()
        let group = try group(on: channel)
        let lengths = try Self.kinds.map { kind in
            try #require(try whisper(kind).sealed(on: channel, in: group, random: .system)).count
        }
        #expect(lengths == [UInt32](repeating: 16 + 12 + 256 + 16, count: 3).map(Int.init))
    }
}
