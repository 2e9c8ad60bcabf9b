/// Decides when the client registers an inbox's name again. Relays forget names that are not renewed.
struct NameRenewal {
    /// The time at which the relay was last asked to renew the name, in milliseconds; see ``Clocks/now``.
    private var askedAt: UInt64?

    mutating func didAsk(at now: UInt64) { askedAt = now }

    /// Returns the time at which the name is registered again, in milliseconds; see ``Clocks/now``. If the last registration
    /// seems to be far in the future, the clock was or is wrong, and the name is registered again now. A pause of
    /// ``ClientLimits/deliveryPauseMs`` follows each attempt.
    ///
    /// - Parameter time: the time of the last registration by the device's clock, in milliseconds since 1970.
    func due(registeredAt time: UInt64, _ clocks: Clocks) -> UInt64 {
        let due = clocks.now.plus(clocks.wall.rest(of: ClientLimits.nameRenewalMs, since: time))
        return max(due, askedAt?.plus(ClientLimits.deliveryPauseMs) ?? 0)
    }
}

extension InboxMachine {
    /// Registers the inbox's name again if the last registration is old. Relays forget names that are not renewed.
    mutating func renewName(in device: inout DeviceState) throws(KithError) {
        guard case .name(let name) = record.purpose, device.nameRequests[.renewal(id)] == nil,
            nameRenewalDue(in: device).map({ $0 <= device.now }) == true
        else { return }
        nameRenewal.didAsk(at: device.now)
        device.nameRequests.begin(
            .renewal(id), NameRequest(relay: record.relay, name: name, kind: .register(id)))
        try device.sendNameRequest(.renewal(id), for: publicAddress(in: device))
    }

    /// The time at which the name is registered again, in milliseconds; see ``Clocks/now``. `nil` if the relay has never
    /// confirmed the name, or if a request for the name has no answer yet.
    func nameRenewalDue(in device: DeviceState) -> UInt64? {
        guard record.registeredAt > 0, !record.isClosing, device.nameRequests[.renewal(id)] == nil else { return nil }
        return nameRenewal.due(registeredAt: record.registeredAt, device.clocks)
    }

    /// Notes that the relay has registered the inbox's name for this profile.
    mutating func didRegister(in device: inout DeviceState) {
        record.didRegister(at: device.wall)
        store(in: &device)
    }
}
