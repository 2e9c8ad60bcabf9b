/// Lets one at a time through, in the order in which they came.
struct OneAtATime {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Takes the place, or keeps `next` until it is free.
    mutating func enter(_ next: CheckedContinuation<Void, Never>) {
        if isTaken {
            waiting.append(next)
        } else {
            isTaken = true
            next.resume()
        }
    }

    /// Gives the place to the next.
    mutating func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
