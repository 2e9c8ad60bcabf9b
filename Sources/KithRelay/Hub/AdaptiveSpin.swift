import NIOCore

/// Decides whether the hub spins until the next event arrives, instead of letting its thread sleep.
///
/// Waking a thread takes longer than deciding a message; if the processor sleeps too, half as long as a commit. Where
/// rounds follow each other closely, as when two programs answer each other, the hub spins between them. Where they do
/// not, this costs nothing: the hub spins only if spinning would have paid off the last time.
struct AdaptiveSpin {
    private let longest: TimeAmount
    private var idleSince = NIODeadline.uptimeNanoseconds(0)
    private var paysOff = false

    /// - Parameter longest: the longest spin; 0 for none.
    init(longest: TimeAmount) { self.longest = longest }

    /// Notes that a round begins.
    mutating func roundBegins(at now: NIODeadline) { paysOff = now - idleSince < longest }

    /// Notes that the round has ended.
    mutating func roundEnded(at now: NIODeadline) { idleSince = now }

    /// Whether to go on spinning while no event has arrived.
    func keepsSpinning(at now: NIODeadline) -> Bool { paysOff && now - idleSince < longest }
}
