import ArgumentParser
import KithClient

/// An address on which to listen. Port 0 means any free port.
struct ListenAddress: ExpressibleByArgument, CustomStringConvertible, Hashable {
    let host: String
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(argument: String) {
        if let address = RelayAddress(argument) {
            self.init(host: address.host, port: address.port)
        } else if argument.hasSuffix(":0"), let address = RelayAddress(argument.dropLast(2) + ":1") {
            self.init(host: address.host, port: 0)
        } else {
            return nil
        }
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
