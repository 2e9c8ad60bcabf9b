import KithWire
import Testing

@testable import KithCore

@Suite("The way to the end of the log")
struct SyncStateTests {
    private let entry = EntryID.random()

    /// A state that has gone all the way, with something of every kind in it.
    private var busy: SyncState {
        var state = SyncState.offline(retryAt: nil)
        state.beginFollow(1)
        state.catchUp(through: 5)
        state.becomeLive()
        state.didSend(entry)
        state.turnIsSent = true
        state.setAside(tooLarge: entry)
        state.retryAt = 100
        return state
    }

    @Test("from offline, a follow leads over opening and catching up to live, and no step can be left out")
    func steps() {
        var state = SyncState.offline(retryAt: nil)
        state.becomeLive()
        #expect(!state.isLive)
        state.catchUp(through: 5)
        #expect(state.following == nil)
        state.beginFollow(7)
        #expect(state.isOpening && state.isFollowing(7) && !state.isFollowing(8))
        state.becomeLive()
        #expect(state.isOpening)
        state.catchUp(through: 5)
        let isCatchingUp = if case .catchingUp(_, through: 5) = state { true } else { false }
        #expect(isCatchingUp)
        state.becomeLive()
        #expect(state.isLive && state.isFollowing(7))
    }

    @Test("offline, nothing of a connection can be kept")
    func offline() {
        var state = SyncState.offline(retryAt: 100)
        state.didSend(entry)
        state.turnIsSent = true
        state.setAside(tooLarge: entry)
        state.enterEpoch()
        #expect(state.following == nil && state.inFlight.isEmpty && !state.turnIsSent && !state.isTooLarge(entry))
        #expect(state.retryAt == 100)
        state.beginFollow(1)
        #expect(state.inFlight.isEmpty && !state.turnIsSent && !state.isTooLarge(entry))
    }

    @Test("a new epoch ends what was sent in the last one; what the relay finds too large stays so on this connection")
    func newEpoch() {
        var state = busy
        state.enterEpoch()
        #expect(state.isOpening && state.inFlight.isEmpty && !state.turnIsSent)
        #expect(state.isTooLarge(entry) && state.retryAt == 100 && state.isFollowing(1))
        state.endFollow()
        #expect(!state.isFollowing(1))
        state.beginFollow(2)
        #expect(state.isOpening && state.isFollowing(2) && state.isTooLarge(entry))
    }

    @Test("while a commit is fetched nothing is sent, and it is taken once")
    func awaitedCommit() {
        var state = busy
        let turn = Entry(seq: 6, epoch: 1, kind: .turn, receivedAtMs: 0, id: entry, payload: [])
        let reference = TurnReference(
            to: ParcelAddress(
                channel: .random(), readToken: .random(), key: Array(repeating: 1, count: 32), length: 10),
            of: [1, 2, 3])
        state.waitForCommit(of: turn, reference)
        #expect(state.isOpening && state.awaited?.entry == turn && state.inFlight == [entry])
        let first = state.takeAwaited()
        let second = state.takeAwaited()
        #expect(first?.entry == turn && second == nil && state.awaited == nil)
    }

    @Test("an answer counts once")
    func landed() {
        var state = busy
        let first = state.didLand(entry)
        let second = state.didLand(entry)
        #expect(first && !second && state.inFlight.isEmpty)
    }
}
