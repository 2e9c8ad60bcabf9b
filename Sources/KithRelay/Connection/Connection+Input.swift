import KithWire
import NIOCore

/// Bounds of input that is not a complete message yet.
extension Connection {
    /// Whether a connection that has not been welcomed holds more bytes than a `hello` can have.
    var isHelloTooLong: Bool {
        !hasSaidHello && !awaitsWelcome && decoder.buffered > RelayLimits.helloBytes
    }

    /// Takes a slot for a large incomplete message. Returns `false` if none is free: then the connection must not be
    /// read for now. A connection that is not read does not keep its slot.
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

    /// Frees the slot.
    func leaveLargeInput() {
        guard largeInputSince != nil else { return }
        largeInputSince = nil
        sourceRates.giveLargeInputBack()
        worker.shared.addresses.largeInputs.giveBack()
    }

    /// Whether a large message has taken so long that its slot is for others.
    func isLargeInputOver(at now: NIODeadline) -> Bool {
        largeInputSince.map { now > $0 + .milliseconds(RelayLimits.largeInputMs) } ?? false
    }
}
