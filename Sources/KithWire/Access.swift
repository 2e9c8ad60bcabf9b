import Crypto
import TLSCodec

/// 32 secret bytes. A client that presents a token has the rights of the token's ``Grant``.
///
/// The bytes are compared in constant time, and never printed. When the last copy is released, the bytes are wiped. Callers read
/// the bytes through ``withUnsafeBytes(_:)``.
public struct Token: Sendable, Equatable, TLSCodable, CustomStringConvertible, CustomReflectable {
    private let key: SymmetricKey

    /// Creates a token from 32 bytes; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        key = SymmetricKey(data: Array(bytes))
    }

    private init(key: SymmetricKey) { self.key = key }

    /// A fresh random token.
    public static func random() -> Token { Token(key: SymmetricKey(size: .bits256)) }

    /// Calls `body` with the 32 bytes. The bytes are valid until `body` returns.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try key.withUnsafeBytes(body)
    }

    /// A fixed text without the bytes.
    public var description: String { "Token(secret)" }

    /// Empty, so that debuggers and `dump` show no byte.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }

    /// Writes the 32 bytes.
    public func encode(into writer: inout TLSWriter) {
        withUnsafeBytes { writer.writeBytes($0) }
    }

    /// Reads 32 bytes.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        guard let token = Token(try reader.readBytes(32)) else { throw .truncated }
        self = token
    }
}

/// The hash of a token: `Grant = SHA-256("kith grant v1" || Token)`. A relay stores the grant, never the token. Grants are
/// compared in constant time.
public struct Grant: Hashable, Sendable, TLSCodable {
    let value: Bytes32

    /// The grant that `token` satisfies.
    public init(for token: Token) {
        var hash = SHA256()
        hash.update(data: Array("kith grant v1".utf8))
        token.withUnsafeBytes { hash.update(bufferPointer: $0) }
        self.init(digest: hash.finalize())
    }

    private init(digest: SHA256.Digest) {
        // A SHA-256 digest always has 32 bytes, so the fallback is never used. No known token matches the fallback.
        value = Bytes32(Array(digest)) ?? Grant.nobody.value
    }

    /// Creates a grant from the 32 bytes of a hash; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard let value = Bytes32(bytes) else { return nil }
        self.value = value
    }

    /// A grant that no known token satisfies. It is a placeholder for the grant of a channel that does not exist or has not
    /// been read.
    public static let nobody: Grant = {
        var generator = SystemRandomNumberGenerator()
        return Grant(value: .random(using: &generator))
    }()

    private init(value: Bytes32) { self.value = value }

    /// The 32 bytes.
    public var bytes: [UInt8] { value.bytes }

    /// Writes the 32 bytes.
    public func encode(into writer: inout TLSWriter) { value.encode(into: &writer) }

    /// Reads 32 bytes.
    public init(from reader: inout TLSReader) throws(TLSCodecError) { value = try Bytes32(from: &reader) }
}

/// The rights that a connection has in one epoch of one channel.
public struct Rights: OptionSet, Hashable, Sendable {
    /// One bit for each right.
    public let rawValue: UInt8

    /// Creates rights from their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The right to follow the epoch's entries.
    public static let read = Rights(rawValue: 1)
    /// The right to append messages and to whisper.
    public static let append = Rights(rawValue: 2)
    /// The right to end the epoch with a turn, to close the channel and to deposit key packages.
    public static let turn = Rights(rawValue: 4)
    /// All defined rights.
    public static let all: Rights = [.read, .append, .turn]
}

/// The grants of one epoch: `struct { Grant read; Grant append; Grant turn; } Access;`. The three grants need not differ.
public struct Access: Hashable, Sendable, TLSCodable {
    /// The grant to read the epoch.
    public let read: Grant
    /// The grant to append to the epoch.
    public let append: Grant
    /// The grant to end the epoch and open the next epoch.
    public let turn: Grant

    /// Creates an access from its three grants.
    public init(read: Grant, append: Grant, turn: Grant) {
        self.read = read
        self.append = append
        self.turn = turn
    }

    /// Access that no known token satisfies. It is a placeholder for the access of a channel that does not exist or has not
    /// been read.
    public static let nobody = Access(read: .nobody, append: .nobody, turn: .nobody)

    /// Returns the rights that `tokens` give; `nil` if `tokens` is empty, or if one of the tokens gives no right.
    ///
    /// Every token is compared with all three grants, even after a match: the duration must not show which grant matched.
    public func rights(presenting tokens: [Token]) -> Rights? {
        var all: Rights = []
        var everyTokenCounts = !tokens.isEmpty
        for token in tokens {
            let grant = Grant(for: token)
            var rights: Rights = []
            if grant == read { rights.insert(.read) }
            if grant == append { rights.insert(.append) }
            if grant == turn { rights.insert(.turn) }
            if rights.isEmpty { everyTokenCounts = false }
            all.formUnion(rights)
        }
        return everyTokenCounts ? all : nil
    }

    /// Writes the three grants.
    public func encode(into writer: inout TLSWriter) {
        writer.write(read)
        writer.write(append)
        writer.write(turn)
    }

    /// Reads three grants.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        read = try reader.read()
        append = try reader.read()
        turn = try reader.read()
    }
}
