import Foundation
import KithClient
import KithWire

/// A relay that clients of a test can reach.
package protocol ReachableRelay: Sendable {
    var address: RelayAddress { get }
    var pin: RelayPin { get }
    /// A folder that exists as long as the relay.
    var folder: URL { get }
}

extension ReachableRelay {
    package var point: RelayPoint { RelayPoint(address: address, pin: pin) }
}

/// A relay in another process.
package struct ForeignRelay: ReachableRelay {
    package let address: RelayAddress
    package let pin: RelayPin
    package let folder: URL

    package init(address: RelayAddress, pin: RelayPin, folder: URL) {
        self.address = address
        self.pin = pin
        self.folder = folder
    }
}
