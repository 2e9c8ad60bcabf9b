import KithWire
import Testing

@testable import KithCore

@Suite("Sync state")
struct SyncStateTests {
    private let entry = EntryID.random()

    /// A live state with every property set.
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

    @Test("a follow leads from offline through opening and catching up to live, without skipping a step")
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

    @Test("nothing of a connection is kept offline")
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

    @Test("a new epoch resets sent entries, but entries too large for the relay stay so on this connection")
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

    @Test("nothing is sent while a commit is fetched, and the commit is taken once")
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

    @Test("an entry lands once")
    func landed() {
        var state = busy
        let first = state.didLand(entry)
        let second = state.didLand(entry)
        #expect(first && !second && state.inFlight.isEmpty)
    }
}
