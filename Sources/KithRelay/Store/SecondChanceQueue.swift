import NIOCore

/// The order in which elements are evicted, by the second-chance algorithm. It is first in, first out, but an element that was
/// used since its last examination is moved to the end once more. The cost of a step does not depend on the number of elements.
struct SecondChanceQueue<Element> {
    private var queue = CircularBuffer<Element>()

    /// Number of elements that one eviction examines, so that no caller waits long. If none of them can be evicted, memory
    /// temporarily exceeds its bound.
    private static var attempts: Int { 16 }

    var count: Int { queue.count }

    mutating func enter(_ element: Element) { queue.append(element) }

    /// Removes and returns the first element for which `mayGo` returns `true`, and moves the elements before it to the end.
    /// Examines a few elements only. Returns `nil` if `mayGo` returns `false` for all of them.
    mutating func next(_ mayGo: (Element) -> Bool) -> Element? {
        var attempts = Self.attempts
        return next(&attempts, mayGo)
    }

    /// Like ``next(_:)``, but examines at most `attempts` elements, and subtracts the number of examined elements from
    /// `attempts`.
    mutating func next(_ attempts: inout Int, _ mayGo: (Element) -> Bool) -> Element? {
        while attempts > 0 {
            attempts -= 1
            guard let element = queue.popFirst() else { return nil }
            if mayGo(element) { return element }
            queue.append(element)
        }
        return nil
    }

    /// Removes the elements that were evicted in another way and no longer exist. Does this only if they are more than about half
    /// of the queue.
    ///
    /// - Parameters:
    ///   - count: number of elements that still exist.
    ///   - isThere: returns `true` for an element that still exists.
    mutating func keepFew(beside count: Int, _ isThere: (Element) -> Bool) {
        guard queue.count > 2 * count + Self.attempts else { return }
        queue = CircularBuffer(queue.filter(isThere))
    }
}
