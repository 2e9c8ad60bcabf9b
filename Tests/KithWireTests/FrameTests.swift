import Crypto
import KithWire
import TLSCodec
import Testing

@Suite("Frames")
struct FrameTests {
    @Test("every frame decodes to the frame that was encoded")
    func roundTrip() throws {
        for (index, request) in try Samples.requests().enumerated() {
            let frame = ClientFrame(requestID: UInt32(index), request: request)
            #expect(try ClientFrame(decoding: frame.encoded) == frame)
        }
        for (index, reply) in try Samples.replies().enumerated() {
            let frame = RelayFrame(requestID: UInt32(index), reply: reply)
            #expect(try RelayFrame(decoding: frame.encoded) == frame)
        }
    }

    @Test("every truncation of every frame is refused, and so is a byte too many")
    func truncations() throws {
        for request in try Samples.requests() {
            let bytes = ClientFrame(requestID: 1, request: request).encoded
            for length in 0..<bytes.count {
                #expect(throws: TLSCodecError.self) { try ClientFrame(decoding: Array(bytes[..<length])) }
            }
            #expect(throws: TLSCodecError.trailingBytes(1)) { try ClientFrame(decoding: bytes + [0]) }
        }
        for reply in try Samples.replies() {
            let bytes = RelayFrame(requestID: 1, reply: reply).encoded
            for length in 0..<bytes.count {
                #expect(throws: TLSCodecError.self) { try RelayFrame(decoding: Array(bytes[..<length])) }
            }
            #expect(throws: TLSCodecError.trailingBytes(1)) { try RelayFrame(decoding: bytes + [0]) }
        }
    }

    @Test("every single-byte corruption is refused, or reads as a frame with exactly that encoding")
    func corruptions() throws {
        var refused = 0
        for request in try Samples.requests() {
            let bytes = ClientFrame(requestID: 1, request: request).encoded
            for index in bytes.indices {
                for mask: UInt8 in [0x01, 0x80, 0xff] {
                    var corrupted = bytes
                    corrupted[index] ^= mask
                    if let frame = try? ClientFrame(decoding: corrupted) {
                        #expect(frame.encoded == corrupted)
                    } else {
                        refused += 1
                    }
                }
            }
        }
        for reply in try Samples.replies() {
            let bytes = RelayFrame(requestID: 1, reply: reply).encoded
            for index in bytes.indices {
                for mask: UInt8 in [0x01, 0x80, 0xff] {
                    var corrupted = bytes
                    corrupted[index] ^= mask
                    guard let frame = try? RelayFrame(decoding: corrupted) else {
                        refused += 1
                        continue
                    }
                    // Decoding removes control characters from a sentence, so it may decode to another one.
                    if case .error = frame.reply { continue }
                    #expect(frame.encoded == corrupted)
                }
            }
        }
        #expect(refused > 100)
    }

    @Test("fields over their limit are refused as too long")
    func limits() {
        let long = [UInt8](repeating: 0, count: WireLimits.payload + 1)[...]
        let append = ClientFrame(
            requestID: 1,
            request: .append(channel: Samples.channel, epoch: 0, id: Samples.entryID, payload: long))
        #expect(throws: TLSCodecError.tooLong(limit: WireLimits.payload)) {
            try ClientFrame(decoding: append.encoded)
        }
        let tokens = ClientFrame(
            requestID: 1,
            request: .present(channel: Samples.channel, epoch: 0, tokens: [.random(), .random(), .random(), .random()]))
        #expect(throws: TLSCodecError.tooLong(limit: 32 * WireLimits.tokens)) {
            try ClientFrame(decoding: tokens.encoded)
        }
    }

    @Test("a refusal's sentence cannot move a terminal's cursor")
    func sentences() throws {
        let error = RelayError(.unavailable, "one\u{1b}[2Jtwo\r\nthree\u{9b}1mfour")
        #expect(try RelayError(decoding: error.encoded).sentence == "one[2Jtwothree1mfour")
    }
}

@Suite("Tokens and names")
struct AccessTests {
    @Test("a token gives exactly the rights that were granted for it")
    func rights() {
        let (read, append, turn, other) = (Token.random(), Token.random(), Token.random(), Token.random())
        let access = Access(read: Grant(for: read), append: Grant(for: append), turn: Grant(for: turn))
        #expect(access.rights(presenting: [read]) == [.read])
        #expect(access.rights(presenting: [append]) == [.append])
        #expect(access.rights(presenting: [turn]) == [.turn])
        #expect(access.rights(presenting: [turn, read]) == [.turn, .read])
        #expect(access.rights(presenting: [other]) == nil)
        #expect(access.rights(presenting: [read, other]) == nil)
        #expect(access.rights(presenting: []) == nil)
        let coinciding = Access(read: Grant(for: read), append: Grant(for: read), turn: .nobody)
        #expect(coinciding.rights(presenting: [read]) == [.read, .append])
        #expect(Access.nobody.rights(presenting: [read]) == nil)
    }

    @Test("the grant is SHA-256 of the label and the token")
    func grant() throws {
        let bytes = Array(UInt8(0)..<32)
        let token = try #require(Token(bytes))
        #expect(Grant(for: token).bytes == Array(SHA256.hash(data: Array("kith grant v1".utf8) + bytes)))
    }

    @Test("a token and a pass never print")
    func secrecy() throws {
        let token = try #require(Token(Array(repeating: 0x41, count: 32)))
        #expect("\(token)" == "Token(secret)")
        #expect(String(reflecting: token) == "Token(secret)")
        var dumped = ""
        dump(token, to: &dumped)
        #expect(!dumped.contains("65") && !dumped.contains("AAAA"))
        let pass = try #require(RelayPass("open sesame"))
        #expect("\(pass)" == "RelayPass(secret)")
        dump(Request.hello(versions: [1], relayPass: pass), to: &dumped)
        #expect(!dumped.contains("sesame") && !dumped.contains("111"))
    }

    @Test("a name record counts only under its own name, unaltered")
    func nameRecords() throws {
        let alice = try #require(Name("alice"))
        let bob = try #require(Name("bob"))
        let key = Curve25519.Signing.PrivateKey()
        let record = try NameRecord(name: alice, version: 3, content: [1, 2, 3], signedBy: key)
        #expect(record.unverified.verified(for: alice) == record)
        #expect(record.unverified.verified(for: bob) == nil)
        let bytes = record.unverified.encoded
        for index in bytes.indices {
            var altered = bytes
            altered[index] ^= 1
            guard let unverified = try? UnverifiedNameRecord(decoding: altered) else { continue }
            #expect(unverified.verified(for: alice) == nil, "byte \(index)")
        }
        let newer = try NameRecord(name: alice, version: 4, content: [], signedBy: key)
        let stranger = try NameRecord(name: alice, version: 5, content: [], signedBy: Curve25519.Signing.PrivateKey())
        #expect(newer.replaces(record))
        #expect(!record.replaces(newer))
        #expect(!record.replaces(record))
        #expect(!stranger.replaces(record))
    }

    @Test("a name is made of characters that do not look alike")
    func names() {
        for good in ["a", "alice", "bob-2", "x.y_z", String(repeating: "a", count: 64)] { #expect(Name(good) != nil) }
        for bad in ["", "Alice", "аlice", "a b", "a\n", "é", String(repeating: "a", count: 65)] {
            #expect(Name(bad) == nil)
        }
    }

    @Test("a pin is read back from its text, and no other text is a pin")
    func pins() {
        let pin = RelayPin(ofSubjectPublicKeyInfo: Array("key".utf8))
        #expect(RelayPin(pin.description) == pin)
        #expect(RelayPin("SHA256:" + pin.description.uppercased()) == pin)
        let bad = [
            "", "sha256:", pin.description + "a", String(pin.description.dropLast()), String(repeating: "g", count: 64),
        ]
        for text in bad { #expect(RelayPin(text) == nil) }
    }
}
