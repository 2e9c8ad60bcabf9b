import KithSupport
import TLSCodec

@testable import KithCore

/// Files: their names, their encrypted form, and the records about them. The first byte chooses what is checked.
func fuzzFiles(_ bytes: [UInt8]) {
    guard let kind = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    switch kind {
    case 0: fuzzFileName(String(decoding: rest, as: UTF8.self))
    case 1: fuzzFileCipher(rest)
    case 2: expectCanonical(FileMessage.self, rest)
    case 3: expectStable(UploadRecord.self, rest, decode: UploadRecord.init(stored:), encode: \.encoded)
    case 4: expectStable(FileRequest.self, rest, decode: FileRequest.init(stored:), encode: \.encoded)
    case 5: expectStable(FilePlace.self, rest, decode: FilePlace.init(stored:), encode: \.encoded)
    case 6: expectStable(KeptFile.self, rest, decode: KeptFile.init(stored:), encode: \.encoded)
    case 7: expectStable(FileSettings.self, rest, decode: FileSettings.init(stored:), encode: \.encoded)
    case 8:
        expectStable(BackupFileRecord?.self, rest, decode: BackupFileRecord.decode) { $0?.encoded ?? [0] }
    default: break
    }
}

/// A clean name is harmless, and stays the same if it is cleaned again.
private func fuzzFileName(_ name: String) {
    let clean = FileName.clean(name)
    expect((1...FileName.longest).contains(clean.utf8.count), "a name of a wrong length")
    expect(!clean.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }, "a path")
    expect(!clean.hasPrefix("."), "a hidden name")
    expect(FileName.clean(clean) == clean, "a clean name changes")
    let numbered = FileName.numbered(clean, 2)
    expect(numbered.utf8.count <= FileName.longest && numbered != clean, "a number makes no other name")
}

/// A file decrypts to itself. With a byte changed, its chunk is refused.
private func fuzzFileCipher(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let place = Int(input.byte()) << 8 | Int(input.byte())
    let change = input.byte()
    let content = Array(input.rest)
    let layout = FileLayout(size: UInt64(content.count))
    let cipher = FileCipher(SecretBytes([UInt8](repeating: 1, count: 32)), padded: layout.padded)
    guard var sealed = try? cipher.seal(piece: 0, content, of: layout) else { fatalError("a piece is not encrypted") }
    guard layout.chunkCount == 1 else { return }
    sealed[place % sealed.count] ^= change
    let opened = try? cipher.open(chunk: 0, sealed[...], of: layout)
    expect(opened == (change == 0 ? content : nil), "a changed file passes")
}
