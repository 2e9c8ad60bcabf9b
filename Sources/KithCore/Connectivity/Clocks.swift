/// The current time, as far as a device can know it.
///
/// A device's clock may be wrong by years. The user or a time server may change the clock at any moment. Three rules apply:
///
/// - Waits are measured with ``now``, which cannot be set.
/// - Dates are from ``wall``, the device's clock.
/// - A decision that cannot be undone needs two clocks: the device's clock and a relay's clock. See ``agree(isOver:relay:)``.
struct Clocks {
    /// The time of the device's clock, in milliseconds since 1970.
    private(set) var wall: UInt64
    /// A time in milliseconds since 1970 that never jumps. It is the time of the device's clock when the profile was opened,
    /// plus the time that has passed since then. If the clock was wrong when the profile was opened, this time is wrong too.
    private(set) var now: UInt64
    private var steady: UInt64
    /// Whether the device's clock was set forward or back by an hour or more after the last call of ``didSet()``.
    private var wasSet = false
    /// For each relay, the time that the relay stated when the device connected, and the value of ``now`` at that moment.
    private var told: [RelayID: (time: UInt64, at: UInt64)] = [:]

    /// - Parameters:
    ///   - wall: the device's clock, in milliseconds since 1970.
    ///   - steady: milliseconds from any starting point, by a clock that cannot be set.
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

    /// Returns whether the device's clock was set forward or back by an hour or more since the last call.
    mutating func didSet() -> Bool {
        defer { wasSet = false }
        return wasSet
    }

    /// Stores the time of a relay's clock, in milliseconds since 1970.
    mutating func relay(_ id: RelayID, says time: UInt64) { told[id] = (time, now) }

    /// Returns the time of a relay's clock, in milliseconds since 1970; `nil` if the device has not connected to the relay since
    /// the profile was opened.
    func relayTime(_ id: RelayID) -> UInt64? { told[id].map { $0.time.plus(now - min(now, $0.at)) } }

    /// Returns the milliseconds by which the device's clock is ahead of a relay's clock. The result is negative if the device's
    /// clock is behind. `nil` if the device has not connected to the relay since the profile was opened.
    func lead(over relay: RelayID) -> Int64? { relayTime(relay).map { wall.lead(over: $0) } }

    // MARK: Two clocks

    /// Whether a time has passed by both the device's clock and the relay's clock. If the relay's time is unknown, the earliest
    /// of the other relays' times counts instead. The result is `false` if no relay has stated its time.
    ///
    /// Use this for decisions that cannot be undone. A relay that lies about the time can delay such a decision, but cannot cause
    /// it.
    ///
    /// - Parameter time: a time in milliseconds since 1970.
    func agree(isOver time: UInt64, relay: RelayID) -> Bool { delay(untilOver: time, relay: relay) == 0 }

    /// Returns the milliseconds until both the device's clock and the relay's clock show that a time is over; `nil` if no relay
    /// has stated its time. If the relay's time is unknown, the earliest of the other relays' times counts instead.
    ///
    /// - Parameter relayTime: the time that is compared with the relay's clock; `nil` to compare `time` with both clocks.
    func delay(untilOver time: UInt64, orByRelay relayTime: UInt64? = nil, relay: RelayID) -> UInt64? {
        guard let witness = witness(for: relay) else { return nil }
        let byRelay = relayTime ?? time
        return max(time - min(time, wall), byRelay - min(byRelay, witness))
    }

    /// Returns the time of the relay's clock. If only other relays have stated their times, returns the earliest of these
    /// times. If no relay has stated its time, returns `nil`.
    private func witness(for relay: RelayID) -> UInt64? { relayTime(relay) ?? told.keys.compactMap(relayTime).min() }
}

extension UInt64 {
    /// Converts seconds to milliseconds. A value that is too large becomes the highest number.
    var asMilliseconds: UInt64 {
        let (milliseconds, overflows) = multipliedReportingOverflow(by: 1000)
        return overflows ? .max : milliseconds
    }

    /// Returns the sum of two times; on overflow, the highest number. Another device's clock may show any time, so the sum may
    /// overflow.
    func plus(_ other: UInt64) -> UInt64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }

    /// Returns the remaining milliseconds of a period that began at `begin`. The number on which the method is called is the
    /// current time of the device's clock. If `begin` is more than ``ClientLimits/clockSlackMs`` in the future, the clock was or
    /// is wrong, and the result is 0.
    func rest(of length: UInt64, since begin: UInt64) -> UInt64 {
        guard begin <= plus(ClientLimits.clockSlackMs) else { return 0 }
        let end = begin.plus(length)
        return end - Swift.min(end, self)
    }

    /// Returns this value minus another value. The result may be negative.
    package func lead(over other: UInt64) -> Int64 {
        self >= other ? Int64(clamping: self - other) : -Int64(clamping: other - self)
    }
}
