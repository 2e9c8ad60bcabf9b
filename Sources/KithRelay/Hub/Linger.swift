import NIOCore

/// Whether the hub waits awake for what comes next, instead of letting its thread sleep.
///
/// To wake a thread takes longer than to decide a message; on a processor that has gone to sleep too, half as long as a
/// commit. Where rounds follow each other closely, as when two programs answer each other, the hub stays awake between them.
/// Where they do not, that costs nothing: it stays awake only if it would have paid the last time.
struct Linger {
    private let longest: TimeAmount
    private var idleSince = NIODeadline.uptimeNanoseconds(0)
    private var pays = false

    /// - Parameter longest: how long to wait at most; 0 for never.
    init(longest: TimeAmount) { self.longest = longest }

    /// Something has come, and a round begins.
    mutating func roundBegins(at now: NIODeadline) { pays = now - idleSince < longest }

    /// The round is over.
    mutating func roundEnded(at now: NIODeadline) { idleSince = now }

    /// Whether to wait awake, if nothing has come.
    func staysAwake(at now: NIODeadline) -> Bool { pays && now - idleSince < longest }
}
