import KithWire

/// A head of an HTTP request is refused, or it is a request that is written and read back as itself.
func fuzzBlobRequest(_ bytes: [UInt8]) {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 2, BlobRequest.isAbout(path: lines[1]) else { return }
    let fields = lines.dropFirst(2).map { line in
        let parts = line.split(separator: ": ", maxSplits: 1, omittingEmptySubsequences: false)
        return (name: String(parts[0]), value: parts.count == 2 ? String(parts[1]) : "")
    }
    guard let request = read(String(lines[0]), String(lines[1]), fields) else { return }
    expect(read(request.method, request.path, request.fields) == request, "a request is not read back")
}

private func read(_ method: String, _ path: String, _ fields: [(name: String, value: String)]) -> BlobRequest? {
    try? BlobRequest(method: method, path: path) { name in fields.filter { $0.name == name }.map(\.value) }
}
