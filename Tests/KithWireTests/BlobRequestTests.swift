import Testing

@testable import KithWire

@Suite struct BlobRequestTests {
    private static let blob = BlobID(Array(0..<32)) ?? .random()
    private static let token = Token(Array(repeating: 255, count: 32)) ?? .random()
    private static let path = "/kith/v1/blob/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    private static let bearer = "Bearer " + String(repeating: "_", count: 42) + "8"

    private static func read(
        _ method: String, path: String = path, _ fields: [(name: String, value: String)]
    ) throws(BlobRequest.Failure) -> BlobRequest {
        try BlobRequest(method: method, path: path) { name in fields.filter { $0.name == name }.map(\.value) }
    }

    @Test(
        "a request is read as it was written",
        arguments: [
            .append(offset: 0, count: 1), .append(offset: .max, count: 0), .status, .delete, .read(first: 0, last: nil),
            .read(first: 5, last: 5), .read(first: 1 << 40, last: .max),
        ] as [BlobRequest.Action])
    func roundTrip(action: BlobRequest.Action) throws {
        let request = BlobRequest(blob: Self.blob, token: Self.token, action: action)
        #expect(try Self.read(request.method, path: request.path, request.fields) == request)
    }

    @Test("the bytes of a request are those of the protocol")
    func bytes() {
        let request = BlobRequest(blob: Self.blob, token: Self.token, action: .append(offset: 7, count: 9))
        #expect(request.method == "PATCH")
        #expect(request.path == Self.path)
        #expect(
            request.fields.map { "\($0.name): \($0.value)" } == [
                "authorization: \(Self.bearer)", "upload-offset: 7", "content-length: 9",
            ])
    }

    @Test("a download without a range is one of the whole blob")
    func whole() throws {
        let request = try Self.read("GET", [("authorization", Self.bearer)])
        #expect(request.action == .read(first: 0, last: nil))
    }

    @Test(
        "a head of another form is refused",
        arguments: [
            ("GET", "/kith/v1/blob/", [("authorization", bearer)]),
            ("GET", path + "A", [("authorization", bearer)]),
            ("GET", path + "?x", [("authorization", bearer)]),
            ("GET", path, []),
            ("GET", path, [("authorization", bearer), ("authorization", bearer)]),
            ("GET", path, [("authorization", "bearer " + bearer.dropFirst(7))]),
            ("GET", path, [("authorization", bearer + "A")]),
            ("GET", path, [("authorization", bearer), ("range", "bytes=-5")]),
            ("GET", path, [("authorization", bearer), ("range", "bytes=5-4")]),
            ("GET", path, [("authorization", bearer), ("range", "bytes=0-1,3-4")]),
            ("GET", path, [("authorization", bearer), ("range", "bytes=+1-4")]),
            ("GET", path, [("authorization", bearer), ("range", "lines=1-4")]),
            ("PATCH", path, [("authorization", bearer), ("upload-offset", "0")]),
            ("PATCH", path, [("authorization", bearer), ("upload-offset", "00"), ("content-length", "1")]),
            ("PATCH", path, [("authorization", bearer), ("upload-offset", "-1"), ("content-length", "1")]),
            (
                "PATCH", path,
                [("authorization", bearer), ("upload-offset", "18446744073709551616"), ("content-length", "1")]
            ),
        ] as [(String, String, [(String, String)])])
    func malformed(method: String, path: String, fields: [(String, String)]) {
        #expect(throws: BlobRequest.Failure.malformed) {
            try Self.read(method, path: path, fields.map { (name: $0.0, value: $0.1) })
        }
    }

    @Test("another method is refused", arguments: ["POST", "PUT", "OPTIONS", "get"])
    func otherMethod(method: String) {
        #expect(throws: BlobRequest.Failure.method) { try Self.read(method, [("authorization", Self.bearer)]) }
    }

    @Test("a state is read as it was written, and refused if it contradicts itself")
    func status() {
        func read(_ fields: [(name: String, value: String)]) -> BlobStatus? {
            BlobStatus { name in fields.filter { $0.name == name }.map(\.value) }
        }
        let status = BlobStatus(stored: 5, size: 9, expiresMs: 1_700_000_000_000)
        #expect(read(status.fields) == status)
        #expect(!status.isComplete)
        #expect(read(BlobStatus(stored: 10, size: 9, expiresMs: 1).fields) == nil)
        #expect(read(BlobStatus(stored: 0, size: 0, expiresMs: 1).fields) == nil)
        #expect(read(Array(status.fields.dropLast())) == nil)
        #expect(read(status.fields + status.fields) == nil)
    }

    @Test("a blob without a byte is refused")
    func empty() {
        let blob = NewBlob(
            id: Self.blob, read: .nobody, write: .nobody, size: 0, lifetimeSeconds: 1)
        #expect(throws: (any Error).self) { try NewBlob(decoding: blob.encoded) }
    }
}
