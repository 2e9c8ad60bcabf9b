import Foundation
import KithCore

// The models count milliseconds, because the state machines have no dates.

extension Date {
    /// - Parameter milliseconds: milliseconds since 1970.
    init(milliseconds: UInt64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}

extension Message {
    /// The time at which the message was sent, by the sender's clock; for notices, by the relay's.
    public var sentAt: Date { Date(milliseconds: sentAtMs) }
}

extension ConversationSummary {
    /// The time of the last message; `nil` if there is none.
    public var lastActivity: Date? { lastActivityMs == 0 ? nil : Date(milliseconds: lastActivityMs) }
}

extension RelayPause {
    /// The time of the next try.
    public var until: Date { Date(milliseconds: untilMs) }
}

extension Invite {
    /// The invite's expiry.
    public var expires: Date { Date(timeIntervalSince1970: Double(expiresAt)) }
}

extension Duration {
    /// Whole seconds, rounded up.
    ///
    /// - Throws: ``KithError/duration(longest:)`` unless it is positive and at most `longest` seconds.
    func seconds(upTo longest: UInt64) throws(KithError) -> UInt64 {
        let (seconds, attoseconds) = components
        let rounded = seconds + (attoseconds > 0 ? 1 : 0)
        guard rounded > 0, UInt64(rounded) <= longest else { throw .duration(longest: .seconds(Int64(longest))) }
        return UInt64(rounded)
    }

    /// Whole seconds after which a text is deleted, rounded up.
    ///
    /// - Throws: ``KithError/duration(longest:)``.
    func textSeconds() throws(KithError) -> UInt32 { UInt32(try seconds(upTo: UInt64(UInt32.max))) }
}
