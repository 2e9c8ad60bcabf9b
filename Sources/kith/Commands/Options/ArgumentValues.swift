import ArgumentParser
import KithClient
import KithWire

// Makes types of the libraries usable as arguments of commands.

extension RelayAddress: ExpressibleByArgument {
    /// Reads `HOST:PORT`.
    public init?(argument: String) { self.init(argument) }
}

extension RelayPin: ExpressibleByArgument {
    /// Reads a pin in the form that relays print.
    public init?(argument: String) { self.init(argument) }
}

extension Name: ExpressibleByArgument {
    /// Reads a name at a relay.
    public init?(argument: String) { self.init(argument) }
}

extension HostAddress: ExpressibleByArgument {
    /// Reads `HOST` or `HOST:PORT`.
    init?(argument: String) {
        if let address = RelayAddress(argument) {
            (host, port) = (address.host, address.port)
        } else if let address = RelayAddress(argument + ":1") ?? RelayAddress("[\(argument)]:1") {
            (host, port) = (address.host, nil)
        } else {
            return nil
        }
    }
}
