import NIOCore

/// The order in which channels give up their memory: those that came first, but one that was used since goes to the end
/// of the line once more. A step costs the same however many there are.
struct SecondChances {
    private var line = CircularBuffer<CachedChannel>()

    /// So many are asked before nobody is found: no commit waits long, and the memory is a little more for a while.
    private static let attempts = 16

    mutating func enter(_ channel: CachedChannel) { line.append(channel) }

    /// Takes out the first that may go, and puts those before it at the end. `nil` if the next few may not.
    mutating func next(_ mayGo: (CachedChannel) -> Bool) -> CachedChannel? {
        for _ in 0..<SecondChances.attempts {
            guard let channel = line.popFirst() else { return nil }
            if mayGo(channel) { return channel }
            line.append(channel)
        }
        return nil
    }
}
