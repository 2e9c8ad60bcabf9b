/// An array in pieces. Copies of the array share the pieces. A change of an element copies only the element's piece.
///
/// A commit changes about twenty nodes in a copy of a tree. Copying a flat array would increment the reference count of every
/// node.
struct ChunkedArray<Element: Sendable>: Sendable {
    private static var chunkBits: Int { 6 }
    private static var chunkSize: Int { 1 << chunkBits }
    private var chunks: [[Element]] = []
    private(set) var count = 0

    init() {}

    init(repeating element: Element, count: Int) {
        grow(to: count, with: element)
    }

    subscript(index: Int) -> Element {
        @inline(__always) get { chunks[index >> Self.chunkBits][index & (Self.chunkSize - 1)] }
        @inline(__always) _modify { yield &chunks[index >> Self.chunkBits][index & (Self.chunkSize - 1)] }
    }

    mutating func append(_ element: Element) {
        if count & (Self.chunkSize - 1) == 0 {
            chunks.append([])
            chunks[chunks.count - 1].reserveCapacity(min(Self.chunkSize, max(count, 1)))
        }
        chunks[chunks.count - 1].append(element)
        count += 1
    }

    /// Appends copies of one element until the array has `newCount` elements. All new pieces of full size share one storage. A
    /// change of an element copies the element's piece.
    mutating func grow(to newCount: Int, with element: Element) {
        var whole: [Element]?
        while count < newCount {
            if count & (Self.chunkSize - 1) == 0 {
                let size = min(Self.chunkSize, newCount - count)
                let piece = size == Self.chunkSize ? whole ?? Array(repeating: element, count: size) : []
                if size == Self.chunkSize { whole = piece }
                chunks.append(piece.isEmpty ? Array(repeating: element, count: size) : piece)
                count += size
            } else {
                append(element)
            }
        }
    }

    mutating func truncate(to newCount: Int) {
        let needed = (newCount + Self.chunkSize - 1) >> Self.chunkBits
        if chunks.count > needed { chunks.removeLast(chunks.count - needed) }
        if let last = chunks.indices.last {
            let rest = newCount - (last << Self.chunkBits)
            if chunks[last].count > rest { chunks[last].removeLast(chunks[last].count - rest) }
        }
        count = newCount
    }
}
