import Testing

@testable import KithClient
@testable import KithCore

@Suite("Backoff")
struct BackoffTests {
    @Test(
        "a relay that closes every connection at once is asked less and less often; one that has kept one is asked soon"
    )
    func backoff() {
        var delay = Backoff()
        for _ in 0..<12 {
            _ = delay.nextMs()
            delay.didLast(.milliseconds(1))
        }
        #expect(delay.peekMs == 60_000)
        delay.didLast(ClientLimits.lastingConnection)
        #expect(delay.peekMs == 250)
    }
}
