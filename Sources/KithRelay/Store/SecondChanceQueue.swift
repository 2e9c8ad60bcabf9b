import NIOCore

/// The order in which elements are evicted, by the second-chance algorithm: first in, first out, except that an element
/// used since its last examination goes to the end once more. The cost of a step does not depend on the number of
/// elements.
struct SecondChanceQueue<Element> {
    private var queue = CircularBuffer<Element>()

    /// Candidates examined per eviction, so that no caller waits long. If none can be evicted, memory temporarily
    /// exceeds its bound.
    private static var attempts: Int { 16 }

    var count: Int { queue.count }

    mutating func enter(_ element: Element) { queue.append(element) }

    /// Takes out the first element that `mayGo` accepts, and moves those before it to the end. Returns `nil` if none of
    /// the next few may go.
    mutating func next(_ mayGo: (Element) -> Bool) -> Element? {
        var attempts = Self.attempts
        return next(&attempts, mayGo)
    }

    /// Takes out the first of the next `attempts` elements that `mayGo` accepts, and subtracts the elements it
    /// examined.
    mutating func next(_ attempts: inout Int, _ mayGo: (Element) -> Bool) -> Element? {
        while attempts > 0 {
            attempts -= 1
            guard let element = queue.popFirst() else { return nil }
            if mayGo(element) { return element }
            queue.append(element)
        }
        return nil
    }

    /// Removes elements that were evicted in another way, once they are more than half of the queue.
    ///
    /// - Parameter count: number of elements that still exist.
    mutating func keepFew(beside count: Int, _ isThere: (Element) -> Bool) {
        guard queue.count > 2 * count + Self.attempts else { return }
        queue = CircularBuffer(queue.filter(isThere))
    }
}
