import TLSCodec

/// Checks that a decoded value encodes to the same bytes.
func expectCanonical<T: TLSCodable>(_ type: T.Type, _ bytes: some Collection<UInt8>) {
    let bytes = Array(bytes)
    guard let value = try? T(decoding: bytes) else { return }
    expect(value.encoded == bytes, "\(type) is not canonical")
}

/// The same for stored values, which are never sent.
func expectCanonical<T>(
    _ type: T.Type, _ bytes: [UInt8], decode: ([UInt8]) throws -> T, encode: (T) -> [UInt8]
) {
    guard let value = try? decode(bytes) else { return }
    expect(encode(value) == bytes, "\(type) is not canonical")
}

/// For values that only this device writes and reads: a decoded value may encode differently, but from then on to the same
/// bytes.
func expectStable<T>(
    _ type: T.Type, _ bytes: [UInt8], decode: ([UInt8]) throws -> T, encode: (T) -> [UInt8]
) {
    guard let value = try? decode(bytes) else { return }
    let written = encode(value)
    guard let again = try? decode(written) else { fatalError("\(type) that was read cannot be read again") }
    expect(encode(again) == written, "\(type) changes when it is stored again")
}
