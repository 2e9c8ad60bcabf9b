import TLSCodec

extension TLSReader {
    /// Reads an `opaque text<V>` that contains UTF-8.
    ///
    /// - Parameter limit: the longest accepted text, in bytes.
    mutating func readText(limit: Int) throws(TLSCodecError) -> String {
        guard let text = String(validating: try readOpaque(limit: limit), as: UTF8.self) else {
            throw .unknownValue(field: "UTF-8 text", value: 0)
        }
        return text
    }
}

extension TLSWriter {
    /// Writes an `opaque text<V>`.
    mutating func writeText(_ text: String) { writeOpaque(Array(text.utf8)) }
}
