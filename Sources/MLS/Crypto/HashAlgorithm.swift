import Crypto
import KithSupport

/// The hash of a cipher suite, with HMAC and HKDF based on it (RFC 9420 §5.1, RFC 5869).
enum HashAlgorithm: Hashable, Sendable {
    case sha256, sha384, sha512

    /// The length of a digest in bytes: `KDF.Nh`.
    var length: Int {
        switch self {
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The number of the KDF in HPKE (RFC 9180 §7.2).
    var kdfID: UInt16 {
        switch self {
        case .sha256: 1
        case .sha384: 2
        case .sha512: 3
        }
    }

    /// The block length of the hash, in bytes. HMAC pads its key to this length.
    private var blockLength: Int { self == .sha256 ? 64 : 128 }

    /// Returns the digest of a byte string.
    func hash(_ content: some Sequence<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: length) { output, count in
            let target = UnsafeMutableRawBufferPointer(output)
            let done: Void? = content.withContiguousStorageIfAvailable {
                digest(UnsafeRawBufferPointer($0), into: target)
            }
            if done == nil { Array(content).withUnsafeBytes { digest($0, into: target) } }
            count = length
        }
    }

    /// Writes the digest of a buffer into `output`. The size of `output` is ``length``.
    @inline(__always)
    func digest(_ content: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
        switch self {
        case .sha256: Self.digest(SHA256.self, content, output)
        case .sha384: Self.digest(SHA384.self, content, output)
        case .sha512: Self.digest(SHA512.self, content, output)
        }
    }

    @inline(__always)
    private static func digest<H: HashFunction>(
        _: H.Type, _ content: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) {
        var hasher = H()
        hasher.update(bufferPointer: content)
        hasher.finalize().withUnsafeBytes { output.copyMemory(from: $0) }
    }

    /// Computes the HMAC of a message. `writeMessage` writes the message into a buffer of `messageLength` bytes.
    ///
    /// swift-crypto's own `HMAC` and `HKDF` copy the key, and copying takes ten times as long as hashing. This function makes
    /// no such copy: it writes the padded key and the message into one buffer on the stack, and hashes twice. The result equals
    /// swift-crypto's result.
    @inline(__always)
    func hmac(
        key: UnsafeRawBufferPointer, messageLength: Int, output: UnsafeMutableRawBufferPointer,
        writeMessage: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        let block = blockLength
        let inner = block + messageLength
        let total = inner + block + length
        withUnsafeTemporaryAllocation(byteCount: total, alignment: 8) { buffer in
            guard let base = buffer.baseAddress else { return }
            defer { wipe(UnsafeMutableRawBufferPointer(start: base, count: total)) }
            let outerPad = UnsafeMutableRawBufferPointer(rebasing: buffer[inner...])
            wipe(UnsafeMutableRawBufferPointer(start: base, count: block))
            if key.count <= block {
                buffer.copyMemory(from: key)
            } else {
                digest(key, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<length]))
            }
            for index in 0..<block {
                outerPad[index] = buffer[index] ^ 0x5c
                buffer[index] ^= 0x36
            }
            writeMessage(UnsafeMutableRawBufferPointer(rebasing: buffer[block..<inner]))
            digest(
                UnsafeRawBufferPointer(rebasing: buffer[..<inner]),
                into: UnsafeMutableRawBufferPointer(rebasing: outerPad[block...]))
            digest(UnsafeRawBufferPointer(outerPad), into: output)
        }
    }

    /// Returns the HMAC of a byte string.
    func hmac(key: SecretBytes, _ message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: length) { output, count in
            key.withUnsafeBytes { key in
                message.withUnsafeBytes { message in
                    hmac(key: key, messageLength: message.count, output: UnsafeMutableRawBufferPointer(output)) {
                        $0.copyMemory(from: message)
                    }
                }
            }
            count = length
        }
    }

    // MARK: HKDF

    /// `KDF.Extract(salt, ikm)` (RFC 5869 §2.2).
    func extract(salt: SecretBytes, _ inputKeyMaterial: SecretBytes) -> SecretBytes {
        SecretBytes(count: length) { output in
            salt.withUnsafeBytes { salt in
                inputKeyMaterial.withUnsafeBytes { material in
                    hmac(key: salt, messageLength: material.count, output: UnsafeMutableRawBufferPointer(output)) {
                        $0.copyMemory(from: material)
                    }
                }
            }
        }
    }

    /// `KDF.Expand(prk, info, L)` (RFC 5869 §2.3). `writeInfo` writes `info`.
    ///
    /// - Precondition: every caller ensures that `count` is at most 255 times ``length``.
    @inline(__always)
    func expand(
        _ key: SecretBytes, count: Int, infoLength: Int, writeInfo: (UnsafeMutableRawBufferPointer) -> Void
    ) -> SecretBytes {
        SecretBytes(count: count) { output in
            let output = UnsafeMutableRawBufferPointer(output)
            key.withUnsafeBytes { key in
                if count == length {
                    // Nearly every secret of MLS has the length of a hash, so it can be written directly into the output.
                    hmac(key: key, messageLength: infoLength + 1, output: output) { message in
                        writeInfo(UnsafeMutableRawBufferPointer(rebasing: message[..<infoLength]))
                        message[infoLength] = 1
                    }
                    return
                }
                withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) { block in
                    var done = 0
                    var counter: UInt8 = 1
                    while done < count {
                        let chained = done == 0 ? 0 : length
                        hmac(key: key, messageLength: chained + infoLength + 1, output: block) { message in
                            if chained > 0 { message.copyMemory(from: UnsafeRawBufferPointer(block)) }
                            writeInfo(
                                UnsafeMutableRawBufferPointer(rebasing: message[chained..<(chained + infoLength)]))
                            message[chained + infoLength] = counter
                        }
                        let take = min(length, count - done)
                        UnsafeMutableRawBufferPointer(rebasing: output[done..<(done + take)])
                            .copyMemory(from: UnsafeRawBufferPointer(rebasing: block[..<take]))
                        done += take
                        counter &+= 1
                    }
                    wipe(block)
                }
            }
        }
    }

    /// The longest output of `KDF.Expand`, in bytes.
    var longestExpansion: Int { 255 * length }
}
