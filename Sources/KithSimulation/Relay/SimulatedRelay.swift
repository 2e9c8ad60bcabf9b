import KithCore
import KithWire

/// A relay in a simulation: a ``RelayModel`` that may be running or stopped.
final class SimulatedRelay {
    let index: Int
    let point: RelayPoint
    var model: RelayModel
    var isUp = true

    init(_ index: Int, limits: ModelLimits) {
        self.index = index
        point = Self.point(index)
        model = RelayModel(limits: limits, relayID: [UInt8](repeating: UInt8(index), count: 16), pass: point.pass)
    }

    private static func point(_ index: Int) -> RelayPoint {
        let pin = RelayPin(ofSubjectPublicKeyInfo: [UInt8(index)])
        // Every second relay requires a pass.
        let pass = index % 2 == 1 ? RelayPass("open sesame") : nil
        guard let address = RelayAddress("relay-\(index).example:443") else { return point(0) }
        return RelayPoint(address: address, pin: pin, pass: pass)
    }

    /// Returns whether a request may fail because of the relay's store.
    func mayRefuse(_ request: Request) -> Bool {
        switch request {
        case .hello, .unfollow, .ping, .whisper: false
        default: true
        }
    }
}
