import TLSCodec

/// Pads content so that its length reveals little: `opaque content<V>`, followed by zeros up to the next of a few sizes.
enum ContentPadding {
    /// The padded lengths in bytes, without the message's overhead. A relay learns only which of these lengths a content has.
    /// Longer content is refused.
    static let sizes = [256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, ClientLimits.paddedContent]

    /// Returns the padded content; `nil` if the padded content would be longer than the largest size.
    static func pad(_ content: [UInt8]) -> [UInt8]? {
        var writer = TLSWriter(capacity: content.count + 4)
        writer.writeOpaque(content)
        guard let size = sizes.first(where: { $0 >= writer.bytes.count }) else { return nil }
        writer.writeBytes(repeatElement(0, count: size - writer.bytes.count))
        return writer.bytes
    }

    /// Removes the padding. The padding must be zero, so that nothing can be hidden in it.
    static func unpad(_ padded: [UInt8]) throws(TLSCodecError) -> ArraySlice<UInt8> {
        var reader = TLSReader(padded)
        let content = try reader.readOpaque()
        let padding = try reader.readBytes(reader.remaining)
        guard padding.allSatisfy({ $0 == 0 }) else { throw .trailingBytes(padding.count) }
        return content
    }
}
