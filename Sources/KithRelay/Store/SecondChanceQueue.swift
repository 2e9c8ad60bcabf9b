import NIOCore

/// A queue of elements to evict, by the second-chance algorithm. The order is first in, first out, with one exception: an element
/// that was used since its last examination moves to the end. The cost of a step does not depend on the number of elements.
struct SecondChanceQueue<Element> {
    private var queue = CircularBuffer<Element>()

    /// Number of elements that one eviction examines. This number keeps the wait of a caller short. If no examined element can be
    /// evicted, memory temporarily exceeds its bound.
    private static var attempts: Int { 16 }

    var count: Int { queue.count }

    mutating func enter(_ element: Element) { queue.append(element) }

    /// Removes and returns the first element for which `mayGo` returns `true`. Moves all earlier elements to the end. Examines
    /// only a few elements. If `mayGo` returns `false` for all examined elements, returns `nil`.
    mutating func next(_ mayGo: (Element) -> Bool) -> Element? {
        var attempts = Self.attempts
        return next(&attempts, mayGo)
    }

    /// Like ``next(_:)``, but examines at most `attempts` elements. Subtracts the number of examined elements from `attempts`.
    mutating func next(_ attempts: inout Int, _ mayGo: (Element) -> Bool) -> Element? {
        while attempts > 0 {
            attempts -= 1
            guard let element = queue.popFirst() else { return nil }
            if mayGo(element) { return element }
            queue.append(element)
        }
        return nil
    }

    /// If more than about half of the queue's elements no longer exist, removes all elements that no longer exist. An element
    /// may have been deleted elsewhere while it was in the queue.
    ///
    /// - Parameters:
    ///   - count: number of elements that still exist.
    ///   - isThere: returns `true` for an element that still exists.
    mutating func keepFew(beside count: Int, _ isThere: (Element) -> Bool) {
        guard queue.count > 2 * count + Self.attempts else { return }
        queue = CircularBuffer(queue.filter(isThere))
    }
}
