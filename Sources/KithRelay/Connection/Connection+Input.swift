import KithWire
import NIOCore

/// Bounds for input that is not a complete message yet.
extension Connection {
    /// Whether the connection's first message is incomplete and already longer than any `hello`.
    var isHelloTooLong: Bool {
        !hasSaidHello && !awaitsWelcome && decoder.buffered > RelayLimits.helloBytes
    }

    /// If the connection stores a large incomplete message, takes a slot for the message. If the connection stores no large
    /// incomplete message, frees the slot. Returns `false` if the connection needs a slot and no slot is free. If the result is
    /// `false`, the caller must pause reading.
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

    /// If the connection has a slot for a large message, frees the slot.
    func leaveLargeInput() {
        guard largeInputSince != nil else { return }
        largeInputSince = nil
        sourceRates.giveLargeInputBack()
        worker.shared.addresses.largeInputs.giveBack()
    }

    /// Whether the connection has had its slot for a large message for longer than ``RelayLimits/largeInputMs``.
    func isLargeInputOver(at now: NIODeadline) -> Bool {
        largeInputSince.map { now > $0 + .milliseconds(RelayLimits.largeInputMs) } ?? false
    }
}
