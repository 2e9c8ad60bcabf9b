import Foundation
import KithCore

// The models store milliseconds, because the state machines have no dates. These properties convert the milliseconds into
// dates.

extension Date {
    /// - Parameter milliseconds: milliseconds since 1970.
    init(milliseconds: UInt64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}

extension Message {
    /// The time at which the message was sent, by the sender's clock. For a notice, or if that time is unknown, this is the
    /// time at which the relay received the entry, by the relay's clock.
    public var sentAt: Date { Date(milliseconds: sentAtMs) }
}

extension ConversationSummary {
    /// The time of the last message; `nil` if there is none.
    public var lastActivity: Date? { lastActivityMs == 0 ? nil : Date(milliseconds: lastActivityMs) }
}

extension RelayPause {
    /// The time of the next attempt.
    public var until: Date { Date(milliseconds: untilMs) }
}

extension Invite {
    /// The time at which the invite expires.
    public var expires: Date { Date(timeIntervalSince1970: Double(expiresAt)) }
}

extension Duration {
    /// Returns the duration in whole seconds, rounded up.
    ///
    /// - Throws: ``KithError/duration(longest:)`` if the duration is not positive or is longer than `longest` seconds.
    func seconds(upTo longest: UInt64) throws(KithError) -> UInt64 {
        let (seconds, attoseconds) = components
        let rounded = seconds + (attoseconds > 0 ? 1 : 0)
        guard rounded > 0, UInt64(rounded) <= longest else { throw .duration(longest: .seconds(Int64(longest))) }
        return UInt64(rounded)
    }

    /// Returns this duration in whole seconds, rounded up. A text is deleted after this duration.
    ///
    /// - Throws: ``KithError/duration(longest:)``.
    func textSeconds() throws(KithError) -> UInt32 { UInt32(try seconds(upTo: UInt64(UInt32.max))) }
}
