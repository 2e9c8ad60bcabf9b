/// Stops the process, and so the fuzzer, with a sentence if something that must hold does not. Unlike `assert`, in every
/// build.
@inline(__always)
func expect(_ condition: Bool, _ sentence: @autoclosure () -> String) {
    if !condition { fatalError(sentence()) }
}

/// An input taken apart from the front: the first bytes say what to do, the rest is what to do it with.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next byte, or 0 when there is none.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// The next `count` bytes, or as many as there are.
    mutating func bytes(_ count: Int) -> ArraySlice<UInt8> {
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}

/// Pieces of `bytes`, cut at places that `cuts` says: each byte is the length of a piece, over and over, 0 standing for 256.
func pieces(of bytes: ArraySlice<UInt8>, cuts: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    guard !cuts.isEmpty else { return [bytes] }
    var pieces: [ArraySlice<UInt8>] = []
    var rest = bytes
    var index = cuts.startIndex
    while !rest.isEmpty {
        let length = cuts[index] == 0 ? 256 : Int(cuts[index])
        pieces.append(rest.prefix(length))
        rest = rest.dropFirst(length)
        index = index + 1 == cuts.endIndex ? cuts.startIndex : index + 1
    }
    return pieces
}
