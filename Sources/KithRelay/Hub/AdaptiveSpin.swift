import NIOCore

/// Decides whether the hub's thread spins or sleeps until the next event arrives.
///
/// Waking a thread takes longer than deciding a request. If the processor sleeps too, waking the thread takes half as long as a
/// commit. If the previous pause between two rounds was shorter than the longest spin, the hub spins. Pauses are short, for
/// example, while two programs answer each other.
struct AdaptiveSpin {
    private let longest: TimeAmount
    private var idleSince = NIODeadline.uptimeNanoseconds(0)
    private var paysOff = false

    /// - Parameter longest: the longest spin; 0 to never spin.
    init(longest: TimeAmount) { self.longest = longest }

    /// Notes that a round begins.
    mutating func roundBegins(at now: NIODeadline) { paysOff = now - idleSince < longest }

    /// Notes that the round has ended.
    mutating func roundEnded(at now: NIODeadline) { idleSince = now }

    /// Whether the hub should continue to spin while no event has arrived.
    func keepsSpinning(at now: NIODeadline) -> Bool { paysOff && now - idleSince < longest }
}
