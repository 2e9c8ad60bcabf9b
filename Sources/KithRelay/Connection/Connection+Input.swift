import KithWire
import NIOCore

/// Bounds on input that is not a whole message yet.
extension Connection {
    /// Whether a connection that has not been welcomed holds more than a `hello` can have.
    var isHelloTooLong: Bool {
        !hasSaidHello && !awaitsWelcome && decoder.buffered > RelayLimits.helloBytes
    }

    /// Takes a place for a large message that has not come whole. Returns `false` if there is none: then nothing more may be
    /// read for now. A connection that is not read does not keep its place.
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

    /// Gives the place back.
    func leaveLargeInput() {
        guard largeInputSince != nil else { return }
        largeInputSince = nil
        sourceRates.giveLargeInputBack()
        worker.shared.addresses.largeInputs.giveBack()
    }

    /// Whether a large message has been under way for so long that its place is for others.
    func isLargeInputOver(at now: NIODeadline) -> Bool {
        largeInputSince.map { now > $0 + .milliseconds(RelayLimits.largeInputMs) } ?? false
    }
}
