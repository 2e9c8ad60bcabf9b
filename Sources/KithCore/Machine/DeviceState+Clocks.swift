import KithWire
import MLS

// Compares the device's clock with the clocks of relays and contacts. If a difference is large, Kith reports it to the user. If
// it is very large, Kith creates no invites and replaces no key packages until the clocks agree.

extension DeviceState {
    /// Returns the difference between this device's clock and a relay's, if it exceeds ``ClientLimits/clockSlackMs``; `nil` if it
    /// does not or is unknown. If the difference exceeds the limit, data with a date from this device's clock may be useless to
    /// other people.
    func clockDoubt(about relay: RelayID) -> ClockDifference? {
        difference(from: relay, atLeast: ClientLimits.clockSlackMs + 1)
    }

    /// The differences of at least ``ClientLimits/clockTellMs`` between this device's clock and the clocks of connected relays.
    var clockDifferences: [ClockDifference] {
        relays.connected.compactMap { difference(from: $0, atLeast: ClientLimits.clockTellMs) }
    }

    /// - Parameter least: the minimum difference that is returned, in milliseconds.
    private func difference(from relay: RelayID, atLeast least: UInt64) -> ClockDifference? {
        guard let lead = clocks.lead(over: relay), lead.magnitude >= least, let point = relays[relay] else {
            return nil
        }
        return ClockDifference(witness: .relay(point.address), aheadMs: lead)
    }

    /// Reports each connected relay whose clock differs from the device's.
    mutating func reportClocks() {
        for relay in relays.connected {
            guard let lead = clocks.lead(over: relay), let point = relays[relay] else { continue }
            guard clockNotices.isToBeTold(of: relay, lead: lead) else { continue }
            emit(.clock(ClockDifference(witness: .relay(point.address), aheadMs: lead)))
        }
    }

    /// Reports a contact who has signed a message at a time in the future. Does nothing if the relay's clock has already shown
    /// that the device's clock is wrong. A signing time in the past proves nothing, because a message may wait for a long time
    /// before it is sent.
    ///
    /// - Parameters:
    ///   - contact: the contact who has signed the message.
    ///   - relay: the relay that has delivered the message.
    ///   - time: the time of signing by the contact's clock, in milliseconds since 1970.
    mutating func compareClock(with contact: ContactID, at relay: RelayID, signedAt time: UInt64) {
        let lead = wall.lead(over: time)
        guard lead < 0, lead.magnitude >= ClientLimits.clockTellMs, let person = contacts[contact],
            clockNotices.isToBeTold(ofContactAt: relay)
        else { return }
        // The relay is a second witness only if it has stated its time.
        let isContactAlone = clocks.lead(over: relay) != nil
        let witness: ClockDifference.Witness =
            isContactAlone ? .contactAlone(contact, name: person.name) : .contact(contact, name: person.name)
        emit(.clock(ClockDifference(witness: witness, aheadMs: lead)))
    }

    /// Whether a key package and its certificate are within their lifetimes.
    ///
    /// - Parameter time: the time for the check, in milliseconds since 1970.
    func isCurrent(_ keyPackage: KeyPackage, _ certificate: DeviceCertificate, at time: UInt64) -> Bool {
        guard case .keyPackage(let lifetime) = keyPackage.leafNode.source else { return false }
        return lifetime.contains(time / 1000) && certificate.lifetime.contains(time / 1000)
    }
}

/// The clock differences that were reported to the user.
struct ClockNotices {
    /// For each relay, how far the device's clock was ahead of the relay's at the last report, in milliseconds.
    private var told: [RelayID: Int64] = [:]
    private var isContactTold = false

    /// Returns whether the difference between the device's clock and a relay's has to be reported. A difference is reported
    /// once, and again when it has changed by an hour or more.
    ///
    /// - Parameter lead: milliseconds by which the device's clock is ahead of the relay's.
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

    /// Returns whether a contact's clock has to be reported. Only one contact's clock is reported, and only if the clock of the
    /// relay was not reported.
    mutating func isToBeTold(ofContactAt relay: RelayID) -> Bool {
        guard !isContactTold, told[relay] == nil else { return false }
        isContactTold = true
        return true
    }
}
