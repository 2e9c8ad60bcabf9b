import NIOCore
import Testing

@testable import KithRelay

@Suite("Addresses of clients")
struct AddressTests {
    @Test("one IPv6 network is one place, and IPv4 addresses are each their own, also through an IPv6 socket")
    func places() throws {
        func place(_ address: String) throws -> String { try SocketAddress(ipAddress: address, port: 1).placeOfOne }
        #expect(try place("2001:db8:1:2::7") == place("2001:db8:1:2:ffff:1:2:3"))
        #expect(try place("2001:db8:1:2::7") != place("2001:db8:1:3::7"))
        #expect(try place("192.0.2.7") != place("192.0.2.8"))
        #expect(try place("::ffff:192.0.2.7") == place("192.0.2.7"))
        #expect(try place("::ffff:192.0.2.7") != place("::ffff:192.0.2.8"))
    }

    @Test("a place that is full is full until somebody leaves")
    func table() {
        let table = AddressTable(perAddress: 2, inAll: 3)
        #expect(table.enter("a") && table.enter("a") && !table.enter("a"))
        #expect(table.enter("b") && !table.enter("b"))
        table.leave("a")
        #expect(table.enter("b"))
    }
}
