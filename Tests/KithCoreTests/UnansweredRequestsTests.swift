import Testing

@testable import KithCore

@Suite("Unanswered requests")
struct UnansweredRequestsTests {
    private var requests = UnansweredRequests<String>()

    @Test("each request has a number of its own, never 0")
    mutating func numbers() {
        let first = requests.add(.hello(at: .zero))
        let second = requests.add(.ping(at: .zero))
        #expect([first, second] == [1, 2] && requests.count == 2)
        requests.remove(first)
        #expect(requests[first] == nil && requests[second] != nil && requests.count == 1)
        #expect(requests.add(.ping(at: .zero)) == 3, "a number is not used again at once")
    }

    @Test("the tickets are those of requests, not of follows and pings")
    mutating func tickets() {
        _ = requests.add(.hello(at: .zero))
        _ = requests.add(.ping(at: .zero))
        _ = requests.add(.follow(FollowID(value: 1)))
        _ = requests.add(.unfollow(FollowID(value: 1), at: .zero))
        #expect(requests.tickets.isEmpty)
        _ = requests.add(.request(.done, "a", at: .zero))
        #expect(requests.tickets == ["a"])
        requests.removeAll()
        #expect(requests.tickets.isEmpty && requests.count == 0)
    }

    @Test("the oldest request counts, and a follow only until it is answered")
    mutating func oldest() {
        #expect(requests.oldest { _ in nil } == nil)
        _ = requests.add(.follow(FollowID(value: 1)))
        #expect(requests.oldest { _ in nil } == nil)
        #expect(requests.oldest { $0 == FollowID(value: 1) ? .seconds(3) : nil } == .seconds(3))
        let ping = requests.add(.ping(at: .seconds(2)))
        _ = requests.add(.request(.done, "a", at: .seconds(4)))
        _ = requests.add(.unfollow(FollowID(value: 1), at: .seconds(5)))
        #expect(requests.oldest { _ in nil } == .seconds(2))
        requests.remove(ping)
        #expect(requests.oldest { _ in nil } == .seconds(4))
    }
}
