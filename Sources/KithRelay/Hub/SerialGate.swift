import NIOCore

/// Admits one task at a time, in the order in which the tasks arrive.
struct SerialGate {
    private var isTaken = false
    private var waiting = CircularBuffer<CheckedContinuation<Void, Never>>()

    /// Resumes `next` as soon as the gate is free.
    mutating func enter(_ next: CheckedContinuation<Void, Never>) {
        if isTaken {
            waiting.append(next)
        } else {
            isTaken = true
            next.resume()
        }
    }

    /// Frees the gate for the next task.
    mutating func leave() {
        if let next = waiting.popFirst() { next.resume() } else { isTaken = false }
    }
}
