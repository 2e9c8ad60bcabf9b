/// Stops the process, and so the fuzzer, with a sentence if a condition does not hold. Unlike `assert`, it does so in every
/// build.
@inline(__always)
func expect(_ condition: Bool, _ sentence: @autoclosure () -> String) {
    if !condition { fatalError(sentence()) }
}

/// An input that is consumed from the front: the first bytes choose the operation, the rest is its data.
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

/// Pieces of `bytes`, with lengths given by `cuts`: each byte is the length of a piece, over and over, with 0 for 256.
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
