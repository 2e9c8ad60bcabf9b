import TLSCodec

/// What decodes encodes back to the same bytes.
func expectCanonical<T: TLSCodable>(_ type: T.Type, _ bytes: some Collection<UInt8>) {
    let bytes = Array(bytes)
    guard let value = try? T(decoding: bytes) else { return }
    expect(value.encoded == bytes, "\(type) is not canonical")
}

/// The same for what is stored, and not sent.
func expectCanonical<T>(
    _ type: T.Type, _ bytes: [UInt8], decode: ([UInt8]) throws -> T, encode: (T) -> [UInt8]
) {
    guard let value = try? decode(bytes) else { return }
    expect(encode(value) == bytes, "\(type) is not canonical")
}

/// What decodes may be written in another way, but from then on in one: for what this device writes and reads alone.
func expectStable<T>(
    _ type: T.Type, _ bytes: [UInt8], decode: ([UInt8]) throws -> T, encode: (T) -> [UInt8]
) {
    guard let value = try? decode(bytes) else { return }
    let written = encode(value)
    guard let again = try? decode(written) else { fatalError("\(type) that was read cannot be read again") }
    expect(encode(again) == written, "\(type) changes when it is stored again")
}
