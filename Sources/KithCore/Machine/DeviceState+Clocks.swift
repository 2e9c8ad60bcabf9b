import KithWire
import MLS

// Clocks that disagree. Kith tells the user. Until the clocks agree, it makes nothing that depends on the date, and deletes
// nothing.

extension DeviceState {
    /// The difference from a relay's clock if it exceeds ``ClientLimits/clockSlackMs``; `nil` otherwise. Beyond that limit,
    /// anything dated by this device's clock may be useless to others.
    func clockDoubt(about relay: RelayID) -> ClockDifference? {
        difference(from: relay, atLeast: ClientLimits.clockSlackMs + 1)
    }

    /// The differences from connected relays' clocks that the user should know of.
    var clockDifferences: [ClockDifference] {
        relays.connected.compactMap { difference(from: $0, atLeast: ClientLimits.clockTellMs) }
    }

    /// - Parameter least: the smallest difference that counts, in milliseconds.
    private func difference(from relay: RelayID, atLeast least: UInt64) -> ClockDifference? {
        guard let lead = clocks.lead(over: relay), lead.magnitude >= least, let point = relays[relay] else {
            return nil
        }
        return ClockDifference(witness: .relay(point.address), aheadMs: lead)
    }

    /// Tells the user of each connected relay whose clock differs from the device's.
    mutating func reportClocks() {
        for relay in relays.connected {
            guard let lead = clocks.lead(over: relay), let point = relays[relay] else { continue }
            guard clockNotices.isToBeTold(of: relay, lead: lead) else { continue }
            emit(.clock(ClockDifference(witness: .relay(point.address), aheadMs: lead)))
        }
    }

    /// Tells the user of a contact who signed a message at a time that has not come yet. Does nothing if the user knows from the
    /// relay that the device's clock is wrong. A signing time in the past proves nothing, because a message may wait long before
    /// it is sent.
    ///
    /// - Parameters:
    ///   - relay: the relay that brought the message.
    ///   - time: the time of signing by the contact's clock, in milliseconds since 1970.
    mutating func compareClock(with contact: ContactID, at relay: RelayID, signedAt time: UInt64) {
        let lead = wall.lead(over: time)
        guard lead < 0, lead.magnitude >= ClientLimits.clockTellMs, let person = contacts[contact],
            clockNotices.isToBeTold(ofContactAt: relay)
        else { return }
        // Only a relay that has stated its time is a second witness.
        let isContactAlone = clocks.lead(over: relay) != nil
        let witness: ClockDifference.Witness =
            isContactAlone ? .contactAlone(contact, name: person.name) : .contact(contact, name: person.name)
        emit(.clock(ClockDifference(witness: witness, aheadMs: lead)))
    }

    /// Whether a key package and its certificate are within their lifetimes.
    ///
    /// - Parameter time: milliseconds since 1970.
    func isCurrent(_ keyPackage: KeyPackage, _ certificate: DeviceCertificate, at time: UInt64) -> Bool {
        guard case .keyPackage(let lifetime) = keyPackage.leafNode.source else { return false }
        return lifetime.contains(time / 1000) && certificate.lifetime.contains(time / 1000)
    }
}

/// The clock differences that the user was told of.
struct ClockNotices {
    /// The device's lead over each relay's clock when the user was told, in milliseconds.
    private var told: [RelayID: Int64] = [:]
    private var isContactTold = false

    /// Decides whether to tell the user of a relay's clock: once, and again when the difference has changed by an hour.
    ///
    /// - Parameter lead: the device's lead over the relay's clock, in milliseconds.
    mutating func isToBeTold(of relay: RelayID, lead: Int64) -> Bool {
        guard lead.magnitude >= ClientLimits.clockTellMs else {
            told[relay] = nil
            return false
        }
        let (change, overflows) = lead.subtractingReportingOverflow(told[relay] ?? 0)
        guard overflows || change.magnitude >= ClientLimits.clockTellMs else { return false }
        told[relay] = lead
        return true
    }

    /// Decides whether to tell the user of a contact's clock: once, and not if the user was told of the relay's clock.
    mutating func isToBeTold(ofContactAt relay: RelayID) -> Bool {
        guard !isContactTold, told[relay] == nil else { return false }
        isContactTold = true
        return true
    }
}
