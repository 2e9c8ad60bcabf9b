/// The current time, as well as a device can know it.
///
/// A device's clock may be off by years, and the user or a time server may set it at any moment. Hence three rules:
///
/// - Waits are measured by ``now``, which can't be set.
/// - Dates are read from ``wall``, the device's clock.
/// - A decision that can't be undone needs two clocks: the device's and a relay's. See ``agree(isOver:relay:)``.
struct Clocks {
    /// The device's clock, in milliseconds since 1970.
    private(set) var wall: UInt64
    /// The device's clock when the profile was opened, plus the time that has passed since. In milliseconds since 1970 if the
    /// clock was right then. Never jumps.
    private(set) var now: UInt64
    private var steady: UInt64
    /// Whether the device's clock was set since the last ``didSet()``.
    private var wasSet = false
    /// The clock of each relay at the time of its connection, and ``now`` at that moment.
    private var told: [RelayID: (time: UInt64, at: UInt64)] = [:]

    /// - Parameters:
    ///   - wall: the device's clock, in milliseconds since 1970.
    ///   - steady: milliseconds since any moment, by a clock that can't be set.
    init(wall: UInt64, steady: UInt64) {
        self.wall = wall
        self.steady = steady
        now = wall
    }

    mutating func advance(wall: UInt64, steady: UInt64) {
        let passed = steady - min(steady, self.steady)
        if wall.lead(over: self.wall.plus(passed)).magnitude >= ClientLimits.clockTellMs { wasSet = true }
        now = now.plus(passed)
        self.steady = steady
        self.wall = wall
    }

    /// Returns whether the device's clock was set by an hour or more since the last call.
    mutating func didSet() -> Bool {
        defer { wasSet = false }
        return wasSet
    }

    /// Remembers a relay's clock, in milliseconds since 1970.
    mutating func relay(_ id: RelayID, says time: UInt64) { told[id] = (time, now) }

    /// A relay's clock, in milliseconds since 1970; `nil` if it has not been connected to since the profile was opened.
    func relayTime(_ id: RelayID) -> UInt64? { told[id].map { $0.time.plus(now - min(now, $0.at)) } }

    /// Lead of the device's clock over a relay's, in milliseconds; negative if it is behind.
    func lead(over relay: RelayID) -> Int64? { relayTime(relay).map { wall.lead(over: $0) } }

    // MARK: Two clocks

    /// Whether a time, in milliseconds since 1970, has passed by the device's clock and by the relay's. For decisions that can't
    /// be undone: a relay that lies about the time can delay them, but can't cause them.
    func agree(isOver time: UInt64, relay: RelayID) -> Bool { delay(untilOver: time, relay: relay) == 0 }

    /// Milliseconds until a time has passed by both clocks; `nil` if no relay has told its time.
    ///
    /// - Parameter relayTime: the time to compare with the relay's clock, if it differs.
    func delay(untilOver time: UInt64, orByRelay relayTime: UInt64? = nil, relay: RelayID) -> UInt64? {
        guard let witness = witness(for: relay) else { return nil }
        let byRelay = relayTime ?? time
        return max(time - min(time, wall), byRelay - min(byRelay, witness))
    }

    /// The relay's clock, or the slowest clock of the other relays if this one can't be reached any more.
    private func witness(for relay: RelayID) -> UInt64? { relayTime(relay) ?? told.keys.compactMap(relayTime).min() }
}

extension UInt64 {
    /// Converts seconds to milliseconds. A value that is too large becomes the highest number.
    var asMilliseconds: UInt64 {
        let (milliseconds, overflows) = multipliedReportingOverflow(by: 1000)
        return overflows ? .max : milliseconds
    }

    /// The sum, or the highest number on overflow: another device's clock may say anything.
    func plus(_ other: UInt64) -> UInt64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }

    /// The rest of a period that began at another time, in milliseconds, where this value is the device's clock. Nothing is left
    /// of a period that begins more than ``ClientLimits/clockSlackMs`` ahead: the clock was wrong then, or is wrong now.
    func rest(of length: UInt64, since begin: UInt64) -> UInt64 {
        guard begin <= plus(ClientLimits.clockSlackMs) else { return 0 }
        let end = begin.plus(length)
        return end - Swift.min(end, self)
    }

    /// The difference to another value; negative if this value is less.
    package func lead(over other: UInt64) -> Int64 {
        self >= other ? Int64(clamping: self - other) : -Int64(clamping: other - self)
    }
}
