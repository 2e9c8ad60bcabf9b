import ArgumentParser
import KithClient
import KithWire

// Values of the libraries that commands take as arguments.

extension RelayAddress: ExpressibleByArgument {
    /// Reads `HOST:PORT`.
    public init?(argument: String) { self.init(argument) }
}

extension RelayPin: ExpressibleByArgument {
    /// Reads a pin as relays print it.
    public init?(argument: String) { self.init(argument) }
}

extension Name: ExpressibleByArgument {
    /// Reads a name.
    public init?(argument: String) { self.init(argument) }
}

extension HostAddress: ExpressibleByArgument {
    /// Reads a host, or `HOST:PORT`.
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
