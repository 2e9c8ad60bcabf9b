import NIOCore
import Testing

@testable import KithRelay

@Suite("Addresses of clients")
struct AddressTests {
    private func networks(_ address: String) throws -> ClientNetworks {
        ClientNetworks(try SocketAddress(ipAddress: address, port: 1))
    }

    @Test(
        "each IPv4 address is a source, also on an IPv6 socket, and so is each IPv6 network of 64 bits in its site"
    )
    func places() throws {
        func source(_ address: String) throws -> ClientSource { try networks(address).source }
        #expect(try source("2001:db8:1:2::7") == source("2001:db8:1:2:ffff:1:2:3"))
        let (one, neighbour) = try (source("2001:db8:1:2::7"), source("2001:db8:1:ff02:ffff:1:2:3"))
        #expect(one.address != neighbour.address && one.site != nil && one.site == neighbour.site)
        #expect(try one.site != source("2001:db8:2:2::7").site)
        #expect(try source("192.0.2.7").site == nil)
        #expect(try source("192.0.2.7") != source("192.0.2.8"))
        #expect(try source("::ffff:192.0.2.7") == source("192.0.2.7"))
        #expect(try source("::ffff:192.0.2.7") != source("::ffff:192.0.2.8"))
        #expect(try networks("::ffff:192.0.2.7") == networks("192.0.2.7"))
    }

    @Test("an address at its limit gets another connection when one closes; opening ones have a limit of their own")
    func table() throws {
        let table = AddressTable(limits: limits { $0.connectionsPerAddress = 2 })
        let (a, b) = (ClientNetworks(name: "a"), ClientNetworks(name: "b"))
        for _ in 0..<2 {
            #expect(table.enter(a, atNanoseconds: 0) != nil)
            #expect(table.open(a))
        }
        // Two more connections may ask for /healthz, but neither becomes a third WebSocket.
        for _ in 0..<2 { #expect(table.enter(a, atNanoseconds: 0) != nil) }
        #expect(table.enter(a, atNanoseconds: 0) == nil)
        #expect(!table.open(a))
        #expect(table.enter(b, atNanoseconds: 0) != nil && table.open(b))
        table.leave(a, wasOpen: true, atNanoseconds: 0)
        #expect(table.open(a))
    }

    @Test("all addresses together have a limit")
    func total() {
        let table = AddressTable(limits: limits { $0.connections = 2 })
        #expect(table.enter(ClientNetworks(name: "a"), atNanoseconds: 0) != nil)
        #expect(table.enter(ClientNetworks(name: "b"), atNanoseconds: 0) != nil)
        #expect(table.enter(ClientNetworks(name: "c"), atNanoseconds: 0) == nil)
    }

    @Test("networks of 48 and 56 bits have limits, however many networks of 64 bits they contain")
    func sites() throws {
        let table = AddressTable(limits: limits { $0.addressRequestBurst = 1_000_000 })
        func opened(_ addresses: [String]) throws -> Int {
            try addresses.filter { address in
                let networks = try networks(address)
                guard table.enter(networks, atNanoseconds: 0) != nil else { return false }
                guard table.open(networks) else {
                    table.leave(networks, wasOpen: false, atNanoseconds: 0)
                    return false
                }
                return true
            }.count
        }
        let household = (0..<256).map { "2001:db8:1:\(String($0, radix: 16))::1" }
        #expect(try opened(household) == 128)
        // Other networks of 56 bits in the same network of 48 bits.
        let site = (1..<2_000).map { "2001:db8:1:\(String($0 * 32 + 256, radix: 16))::1" }
        #expect(try opened(site) == 512 - 128)
        #expect(try opened(["2001:db8:2:1::1"]) == 1)
    }

    @Test("connections that arrive too fast are refused for some time, and a debt outlives its connections")
    func arrivals() {
        let table = AddressTable(
            limits: limits {
                $0.addressRequestBurst = 3 * RelayLimits.arrivalCost
                $0.addressRequestsPerSecond = RelayLimits.arrivalCost
            })
        let a = ClientNetworks(name: "a")
        for _ in 0..<3 {
            #expect(table.enter(a, atNanoseconds: 0) != nil)
            table.leave(a, wasOpen: false, atNanoseconds: 0)
        }
        #expect(table.enter(a, atNanoseconds: 0) == nil)
        #expect(table.enter(a, atNanoseconds: 1_000_000_000) != nil)
        table.leave(a, wasOpen: false, atNanoseconds: 60_000_000_000)
        #expect(table.count == 0)
    }

    @Test("a neighbour in the same site has a rate of its own, and the site has eight times as much")
    func neighbours() throws {
        let table = AddressTable(
            limits: limits {
                $0.addressRequestBurst = 100
                $0.addressRequestsPerSecond = 1
                $0.connectionsPerIPv6Net48 = 1_000
            })
        func rates(_ number: Int) throws -> SourceRates {
            try #require(table.enter(try networks("2001:db8:1:\(number)::1"), atNanoseconds: 0))
        }
        let first = try rates(0)
        #expect(first.charge(200, atNanoseconds: 0) > 0)
        for number in 1..<8 { #expect(try rates(number).charge(80, atNanoseconds: 0) == 0) }
        #expect(try rates(8).charge(80, atNanoseconds: 0) > 0)
        let other = try #require(table.enter(try networks("2001:db8:2:1::1"), atNanoseconds: 0))
        #expect(other.charge(80, atNanoseconds: 0) == 0)
    }

    @Test("addresses that owe nothing are forgotten, however many they are")
    func forgetting() {
        let table = AddressTable(limits: limits { _ in })
        for number in 0..<20_000 {
            let networks = ClientNetworks(name: "\(number)")
            let now = Int64(number) * 1_000_000_000
            #expect(table.enter(networks, atNanoseconds: now) != nil)
            table.leave(networks, wasOpen: false, atNanoseconds: now)
        }
        #expect(table.count <= 1_100)
    }

    @Test("the networks of a site together may connect eight times as fast as one network")
    func arrivalsOfSite() throws {
        let table = AddressTable(
            limits: limits {
                $0.addressRequestBurst = 3 * RelayLimits.arrivalCost
                $0.addressRequestsPerSecond = RelayLimits.arrivalCost
            })
        func arrived(_ site: Int) throws -> Int {
            try (0..<40).count { table.enter(try networks("2001:db8:\(site):\($0)::1"), atNanoseconds: 0) != nil }
        }
        #expect(try arrived(1) == 24)
        #expect(try arrived(2) == 24)
    }

    private func limits(_ change: (inout RelayLimits) -> Void) -> RelayLimits {
        var limits = RelayLimits()
        change(&limits)
        return limits
    }
}

@Suite("Shared token buckets")
struct SharedBucketTests {
    @Test("a bucket allows a burst, then one token at a time, and waits for a debt to be paid off")
    func rate() {
        let bucket = SharedBucket(burst: 3, perSecond: 10)
        let each: Int64 = 100_000_000
        #expect(bucket.charge(2, atNanoseconds: 0) == 0)
        #expect(bucket.charge(1, atNanoseconds: 0) == each)
        #expect(bucket.charge(2, atNanoseconds: 0) == 3 * each)
        #expect(bucket.wait(atNanoseconds: 3 * each) == 0)
        #expect(!bucket.isFull(atNanoseconds: 3 * each))
        #expect(bucket.isFull(atNanoseconds: 5 * each))
        #expect(bucket.charge(.max, atNanoseconds: 0) > 0)
        #expect(bucket.charge(.max, atNanoseconds: 0) > 0)
        #expect(bucket.wait(atNanoseconds: 4 * 86_400_000_000_000) == 0)
    }
}
