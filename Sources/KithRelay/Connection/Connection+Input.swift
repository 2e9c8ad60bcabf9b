import KithWire
import NIOCore

/// Bounds for input that is not a complete message yet.
extension Connection {
    /// Whether the connection's first message is still incomplete but already longer than a `hello` can be.
    var isHelloTooLong: Bool {
        !hasSaidHello && !awaitsWelcome && decoder.buffered > RelayLimits.helloBytes
    }

    /// Takes a slot if the connection stores a large incomplete message, and frees the slot if it does not. Returns `false` if no
    /// slot is free. Then the caller pauses reading, and the connection holds no slot in the meantime.
    func mayHoldInput() -> Bool {
        let isReading = pausedUntil == nil && !awaitsWelcome && context != nil
        guard isReading, decoder.buffered > RelayLimits.smallInput else {
            leaveLargeInput()
            return true
        }
        guard largeInputSince == nil else { return true }
        guard sourceRates.takeLargeInput() else { return false }
        guard worker.shared.addresses.largeInputs.take() else {
            sourceRates.giveLargeInputBack()
            return false
        }
        largeInputSince = .now()
        return true
    }

    /// Frees the slot for a large message, if the connection holds one.
    func leaveLargeInput() {
        guard largeInputSince != nil else { return }
        largeInputSince = nil
        sourceRates.giveLargeInputBack()
        worker.shared.addresses.largeInputs.giveBack()
    }

    /// Whether a large message has taken so long that the connection must free its slot for others.
    func isLargeInputOver(at now: NIODeadline) -> Bool {
        largeInputSince.map { now > $0 + .milliseconds(RelayLimits.largeInputMs) } ?? false
    }
}
