import NIOCore

/// The order in which elements give up their memory: those that came first, but one that was used since goes to the end
/// of the line once more. A step costs the same however many there are.
struct SecondChances<Element> {
    private var line = CircularBuffer<Element>()

    /// So many are asked before nobody is found: nobody waits long, and the memory is a little more for a while.
    private static var attempts: Int { 16 }

    var count: Int { line.count }

    mutating func enter(_ element: Element) { line.append(element) }

    /// Takes out the first that may go, and puts those before it at the end. `nil` if the next few may not.
    mutating func next(_ mayGo: (Element) -> Bool) -> Element? {
        var attempts = Self.attempts
        return next(&attempts, mayGo)
    }

    /// The same, and asks no more than `attempts`, of which it takes away those that were asked.
    mutating func next(_ attempts: inout Int, _ mayGo: (Element) -> Bool) -> Element? {
        while attempts > 0 {
            attempts -= 1
            guard let element = line.popFirst() else { return nil }
            if mayGo(element) { return element }
            line.append(element)
        }
        return nil
    }

    /// Lets go of those that have left by another way, once they are more than half of the line. `count` are still there.
    mutating func keepFew(beside count: Int, _ isThere: (Element) -> Bool) {
        guard line.count > 2 * count + Self.attempts else { return }
        line = CircularBuffer(line.filter(isThere))
    }
}
