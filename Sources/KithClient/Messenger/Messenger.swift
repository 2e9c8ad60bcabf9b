import KithWire
import MLS

/// Everything that Kith does with conversations, as a state machine: inputs in, what to store and what to do out. No clock, no
/// network, no disk but the store that it reads from.
package struct Messenger {
    let store: any ProfileStore
    let random: RandomSource

    /// Reads a profile's state.
    ///
    /// - Parameter now: milliseconds since 1970.
    package init(opening store: any ProfileStore, now: UInt64, random: RandomSource = .system) throws(KithError) {
        self.store = store
        self.random = random
    }

    /// What to do first.
    package mutating func start(now: UInt64) -> MessengerOutput { MessengerOutput() }

    /// Takes an input.
    ///
    /// - Parameter now: milliseconds since 1970.
    package mutating func handle(_ input: MessengerInput, now: UInt64) -> MessengerOutput { MessengerOutput() }

    /// When ``MessengerInput/tick`` is due, in milliseconds since 1970; `nil` if nothing waits for the time.
    package var nextWake: UInt64? { nil }
}
