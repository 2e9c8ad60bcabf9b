import KithWire
import TLSCodec

/// A client's frame has one encoding: a frame that decodes encodes to the same bytes.
func fuzzClientFrame(_ bytes: [UInt8]) {
    guard let frame = try? ClientFrame(decoding: bytes) else { return }
    expect(frame.encoded == bytes, "a client's frame is not canonical")
    // No secret may appear in a description, which could end up in a log.
    if case .present = frame.request {
        expect("\(frame)".contains("Token(secret)") || isEmpty(frame), "a token prints")
    }
}

private func isEmpty(_ frame: ClientFrame) -> Bool {
    if case .present(_, _, let tokens) = frame.request { tokens.isEmpty } else { false }
}

/// A relay's frame has one encoding too, except for an error's sentence, which is made safe for terminals.
func fuzzRelayFrame(_ bytes: [UInt8]) {
    guard let frame = try? RelayFrame(decoding: bytes) else { return }
    guard case .error(let error) = frame.reply else {
        return expect(frame.encoded == bytes, "a relay's frame is not canonical")
    }
    let isHarmless = error.sentence.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    expect(isHarmless, "a sentence can move the cursor")
    guard let again = try? RelayFrame(decoding: frame.encoded), case .error(let same) = again.reply else {
        fatalError("an error that was read cannot be written")
    }
    expect(
        same.code == error.code && same.detail == error.detail && same.retryAfterMs == error.retryAfterMs
            && again.requestID == frame.requestID, "an error changes when it is passed on")
}

/// A record's encoding, its name's, and its signature: no fuzzed signature verifies.
func fuzzNameRecord(_ bytes: [UInt8]) {
    var reader = TLSReader(bytes)
    if let name = try? Name(from: &reader) {
        expect(name.encoded.elementsEqual(bytes.dropLast(reader.remaining)), "a name is not canonical")
        expect(Name(name.text) == name, "a name on the wire is none on the keyboard")
        if let record = try? UnverifiedNameRecord(from: &reader) {
            let consumed = bytes.dropLast(reader.remaining).dropFirst(name.encoded.count)
            expect(record.encoded.elementsEqual(consumed), "a record is not canonical")
            if let verified = record.verified(for: name) {
                expect(verified.name == name && verified.unverified == record, "verifying changed a record")
                expect(
                    verified == genuineRecord || !verified.identity.elementsEqual(genuineRecord.identity), "a forgery")
                expect(!verified.replaces(verified), "a record replaces itself")
            }
        }
    }
    if let name = Name(String(decoding: bytes, as: UTF8.self)) {
        expect(name.text.utf8.elementsEqual(bytes), "a name is not what was typed")
    }
}
