import Synchronization

/// A clock that stands still until a test moves it.
package final class TestClock: Sendable {
    private let time: Atomic<UInt64>
    private let passed = Atomic<Int64>(0)

    package init(startingAtMs start: UInt64 = 1_700_000_000_000) { time = Atomic(start) }

    /// The time of day, in milliseconds since 1970.
    package var nowMs: UInt64 { time.load(ordering: .sequentiallyConsistent) }

    /// The time that has passed, in nanoseconds. Setting the clock does not change it.
    package var uptime: Int64 { passed.load(ordering: .sequentiallyConsistent) }

    /// Lets time pass.
    package func advance(milliseconds: UInt64) {
        time.wrappingAdd(milliseconds, ordering: .sequentiallyConsistent)
        passed.wrappingAdd(Int64(milliseconds) * 1_000_000, ordering: .sequentiallyConsistent)
    }

    /// Lets time pass.
    package func advance(seconds: UInt64) { advance(milliseconds: seconds * 1000) }

    /// Sets the time of day, without time passing.
    package func jump(seconds: Int64) {
        time.wrappingAdd(UInt64(bitPattern: seconds * 1000), ordering: .sequentiallyConsistent)
    }

    /// Sets the time of day back, without time passing.
    package func setBack(seconds: UInt64) { time.wrappingSubtract(seconds * 1000, ordering: .sequentiallyConsistent) }
}
