import KithSupport

/// A request over HTTP about the bytes of a blob.
///
/// | request | method and path | fields |
/// | --- | --- | --- |
/// | `append` | `PATCH /kith/v1/blob/ID` | `authorization`, `upload-offset`, `content-length` |
/// | `status` | `HEAD /kith/v1/blob/ID` | `authorization` |
/// | `read` | `GET /kith/v1/blob/ID` | `authorization`, `range` (optional) |
/// | `delete` | `DELETE /kith/v1/blob/ID` | `authorization` |
///
/// `ID` is the id in base64url. The field `authorization` contains `Bearer` and the token in base64url.
package struct BlobRequest: Equatable, Sendable {
    /// The action that the client requests.
    package enum Action: Equatable, Sendable {
        /// Adds the body's bytes to the blob. `offset` is the number of bytes that the relay already has, and `count` is the
        /// length of the body. Needs the write token.
        case append(offset: UInt64, count: UInt64)
        /// Asks for the blob's state. Needs the read or the write token.
        case status
        /// Downloads a part of a complete blob: the bytes from `first` through `last`. If `last` is `nil`, downloads all bytes
        /// from `first` on. Needs the read token.
        case read(first: UInt64, last: UInt64?)
        /// Deletes the blob. Needs the write token.
        case delete
    }

    /// The fault of an HTTP request about a blob.
    package enum Failure: Error, Equatable, Sendable {
        /// The relay does not know the method.
        case method
        /// The path has a wrong form, or a field is missing, occurs twice or has a wrong form.
        case malformed
    }

    /// The blob.
    package let blob: BlobID
    /// The token that proves the client's right.
    package let token: Token
    /// The action.
    package let action: Action

    /// Creates a request from its fields.
    package init(blob: BlobID, token: Token, action: Action) {
        self.blob = blob
        self.token = token
        self.action = action
    }

    private static let root = "/kith/v1/blob/"

    /// Returns `true` if `path` begins like the path of a blob.
    package static func isAbout(path: some StringProtocol) -> Bool { path.hasPrefix(root) }

    /// The path.
    package var path: String { Self.root + Base64URL.encode(blob.bytes) }

    /// The method.
    package var method: String {
        switch action {
        case .append: "PATCH"
        case .status: "HEAD"
        case .read: "GET"
        case .delete: "DELETE"
        }
    }

    /// The header fields, with names in lower case.
    package var fields: [(name: String, value: String)] {
        let text = token.withUnsafeBytes { Base64URL.encode($0) }
        let authorization = (name: "authorization", value: "Bearer \(text)")
        switch action {
        case .append(let offset, let count):
            return [authorization, ("upload-offset", "\(offset)"), ("content-length", "\(count)")]
        case .read(let first, let last):
            return [authorization, ("range", "bytes=\(first)-\(last.map(String.init) ?? "")")]
        case .status, .delete:
            return [authorization]
        }
    }

    /// Reads the head of an HTTP request.
    ///
    /// - Parameters:
    ///   - method: the method.
    ///   - path: a path that ``isAbout(path:)`` accepts.
    ///   - values: returns all values of the header field with a given name in lower case.
    package init(method: String, path: String, values: (String) -> [String]) throws(Failure) {
        guard path.hasPrefix(Self.root), let id = Base64URL.decode(path.dropFirst(Self.root.count)).flatMap(BlobID.init)
        else { throw .malformed }
        func value(_ name: String) throws(Failure) -> String? {
            let all = values(name)
            guard all.count <= 1 else { throw .malformed }
            return all.first
        }
        func number(_ name: String) throws(Failure) -> UInt64 {
            guard let text = try value(name), let number = Self.number(text) else { throw .malformed }
            return number
        }
        let scheme = "Bearer "
        guard let authorization = try value("authorization"), authorization.hasPrefix(scheme),
            let token = Base64URL.decode(authorization.dropFirst(scheme.count)).flatMap(Token.init)
        else { throw .malformed }
        blob = id
        self.token = token
        switch method {
        case "PATCH": action = .append(offset: try number("upload-offset"), count: try number("content-length"))
        case "HEAD": action = .status
        case "GET": action = try Self.read(range: try value("range"))
        case "DELETE": action = .delete
        default: throw .method
        }
    }

    /// Reads a range of bytes (RFC 9110 §14.1.2). Refuses a list of several ranges, and a range that counts from the end.
    private static func read(range: String?) throws(Failure) -> Action {
        guard let range else { return .read(first: 0, last: nil) }
        let unit = "bytes="
        let ends = range.dropFirst(unit.count).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard range.hasPrefix(unit), ends.count == 2, let first = number(ends[0]) else { throw .malformed }
        guard !ends[1].isEmpty else { return .read(first: first, last: nil) }
        guard let last = number(ends[1]), last >= first else { throw .malformed }
        return .read(first: first, last: last)
    }

    /// Reads a decimal number. Refuses signs and leading zeroes.
    private static func number(_ text: some StringProtocol) -> UInt64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text), "\(number)" == text
        else {
            return nil
        }
        return number
    }
}

/// The state of a blob at the relay, in the fields of an HTTP response.
package struct BlobStatus: Hashable, Sendable {
    /// The number of bytes that the relay has on its disk. An upload continues after these bytes.
    package let stored: UInt64
    /// The size in bytes.
    package let size: UInt64
    /// The time at which the relay deletes the blob, in milliseconds since 1970.
    package let expiresMs: UInt64

    /// Creates a value from its fields.
    package init(stored: UInt64, size: UInt64, expiresMs: UInt64) {
        self.stored = stored
        self.size = size
        self.expiresMs = expiresMs
    }

    /// Whether the relay has all bytes.
    package var isComplete: Bool { stored == size }

    /// The header fields, with names in lower case.
    package var fields: [(name: String, value: String)] {
        [("upload-offset", "\(stored)"), ("upload-length", "\(size)"), ("kith-expires", "\(expiresMs)")]
    }

    /// Reads the fields of a response; `nil` if one is missing, occurs twice, has a wrong form, or contradicts the others.
    ///
    /// - Parameter values: returns all values of the header field with a given name in lower case.
    package init?(values: (String) -> [String]) {
        func number(_ name: String) -> UInt64? {
            let all = values(name)
            return all.count == 1 ? UInt64(all[0]) : nil
        }
        guard let stored = number("upload-offset"), let size = number("upload-length"), stored <= size, size > 0,
            let expiresMs = number("kith-expires")
        else { return nil }
        self.init(stored: stored, size: size, expiresMs: expiresMs)
    }
}
