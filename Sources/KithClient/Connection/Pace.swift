import KithWire
import NIOCore

/// Keeps requests below the rate that a relay allows, with room for the network to bunch them up.
package struct Pace: Sendable {
    private let perSecond: Double
    private let most: Double
    private var room: Double
    private var last: NIODeadline

    package init(limits: AdvertisedLimits, now: NIODeadline) {
        perSecond = max(1, Double(limits.requestsPerSecond) * 0.8)
        most = max(1, Double(limits.requestBurst) * 0.5)
        room = most
        last = now
    }

    package mutating func take(now: NIODeadline) -> Bool {
        room = room(now: now)
        last = now
        guard room >= 1 else { return false }
        room -= 1
        return true
    }

    package func delay(now: NIODeadline) -> TimeAmount {
        let missing = 1 - room(now: now)
        return missing <= 0 ? .zero : .nanoseconds(Int64(missing / perSecond * 1e9) + 1)
    }

    private func room(now: NIODeadline) -> Double {
        min(most, room + Double((now - last).nanoseconds) / 1e9 * perSecond)
    }
}
