import KithWire
import MLS

// Clocks that disagree: Kith says so, makes nothing that depends on the date, and deletes nothing.

extension Messenger {
    /// The device's clock, in milliseconds since 1970: for dates, which others see or which outlast this process.
    var wall: UInt64 { clocks.wall }

    /// The time by which waiting is measured, in milliseconds: see ``Clocks/now``.
    var now: UInt64 { clocks.now }

    /// Takes a look at the device's clock before something is shown: what has expired by now is hidden.
    package func look(at wall: UInt64, steady: UInt64) { clocks.advance(wall: wall, steady: steady) }

    /// The difference from a relay's clock, if it is so great that what is made by this device's clock may be of no use.
    func clockDoubt(about relay: RelayID) -> ClockDifference? {
        guard let lead = clocks.lead(over: relay), lead.magnitude > ClientLimits.clockSlackMs,
            let point = relays[relay]
        else { return nil }
        return ClockDifference(witness: .relay(point.address), aheadMs: lead)
    }

    /// Tells of each relay whose clock differs from the device's, once, and again when the difference has changed.
    func tellOfClocks() {
        for relay in relays.connected {
            guard let lead = clocks.lead(over: relay), let point = relays[relay] else { continue }
            guard lead.magnitude >= ClientLimits.clockTellMs else {
                clockTold[relay] = nil
                continue
            }
            let (change, overflows) = lead.subtractingReportingOverflow(clockTold[relay] ?? 0)
            guard overflows || change.magnitude >= ClientLimits.clockTellMs else { continue }
            clockTold[relay] = lead
            tell(.clock(ClockDifference(witness: .relay(point.address), aheadMs: lead)))
        }
    }

    /// Tells of a contact who signed a message at a time that has not come yet, once, unless the user knows from the relay that
    /// the clock is wrong. Only this direction says something: a message may have waited for long before it was sent.
    func compareClock(with contact: ContactID, in conversation: Conversation, signedAt: UInt64) {
        let lead = wall.lead(over: signedAt)
        guard !isContactClockTold, lead < 0, lead.magnitude >= ClientLimits.clockTellMs,
            clockTold[conversation.record.relay] == nil, let person = contacts[contact]
        else { return }
        isContactClockTold = true
        // Only a relay that was heard from is a second witness.
        let isContactAlone = clocks.lead(over: conversation.record.relay) != nil
        let witness: ClockDifference.Witness =
            isContactAlone ? .contactAlone(contact, name: person.name) : .contact(contact, name: person.name)
        tell(.clock(ClockDifference(witness: witness, aheadMs: lead)))
    }

    /// The relays that are connected and whose clocks differ from the device's, for those who begin to listen.
    package var relayClockDifferences: [ClockDifference] {
        relays.connected.compactMap { relay in
            guard let lead = clocks.lead(over: relay), lead.magnitude >= ClientLimits.clockTellMs,
                let point = relays[relay]
            else { return nil }
            return ClockDifference(witness: .relay(point.address), aheadMs: lead)
        }
    }

    /// Whether somebody's key package and certificate are valid now, by this device's clock.
    func isCurrent(_ keyPackage: KeyPackage, _ certificate: DeviceCertificate, at time: UInt64) -> Bool {
        guard case .keyPackage(let lifetime) = keyPackage.leafNode.source else { return false }
        return lifetime.contains(time / 1000) && certificate.lifetime.contains(time / 1000)
    }

    /// Certifies the device anew when its certificate is not valid for long before and after now: the clock may have been wrong
    /// when the profile was made. Key packages with a certificate that nobody could accept are replaced.
    func renewCertificate() throws(KithError) {
        let wasCurrent = profile.certificate.lifetime.contains(wall / 1000)
        guard let renewed = try callingMLS({ () throws(MLSError) in try profile.recertified(at: wall) }) else { return }
        profile = renewed
        step.put(ProfileRecord.key, profile.encoded)
        guard !wasCurrent else { return }
        for id in inboxes.keys.sorted() {
            guard let inbox = inboxes[id], inbox.record.depositedAt > 0 else { continue }
            inbox.record.depositedAt = 1
            storeInbox(id)
        }
    }
}
