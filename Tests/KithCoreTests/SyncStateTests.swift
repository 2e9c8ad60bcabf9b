import KithWire
import MLS
import Testing

@testable import KithCore

@Suite("Sync state")
struct SyncStateTests {
    private let entry = EntryID.random()
    private let proposals = CommitPolicy(
        memberCount: 3, isChanging: false, othersPropose: true, wantsToSend: false, hasRenewed: true,
        isRenewalDue: false)

    /// A live state with every property set.
    private var busy: SyncState {
        var state = SyncState.offline(retryAt: nil)
        state.beginFollow(1)
        state.catchUp(through: 5)
        state.becomeLive()
        state.didSend(entry)
        state.didSendTurn()
        state.setAside(tooLarge: entry)
        state.pause(until: 100)
        _ = state.change(by: proposals, at: 1_000) { $0 - 1 }
        _ = state.withChallenge { challenge in
            _ = challenge.nonce(from: .system)
            challenge.askBack(LeafIndex(rawValue: 1), at: 900)
            _ = challenge.didProve(LeafIndex(rawValue: 1))
        }
        return state
    }

    private func becomeLive(_ state: inout SyncState, tag: UInt64) {
        state.beginFollow(tag)
        state.catchUp(through: 5)
        state.becomeLive()
    }

    private func turn(_ reference: TurnReference) -> Entry {
        Entry(seq: 6, epoch: 1, kind: .turn, receivedAtMs: 0, id: .random(), payload: reference.encoded[...])
    }

    private var reference: TurnReference {
        TurnReference(
            to: ParcelAddress(
                channel: .random(), readToken: .random(), key: Array(repeating: 1, count: 32), length: 10),
            of: [1, 2, 3])
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

    @Test("a live state keeps what was noted in it")
    func noted() {
        let state = busy
        #expect(state.inFlight == [entry] && state.turnIsSent && state.isTooLarge(entry) && state.retryAt == 100)
        #expect(state.commitProposalsAt == 1_000 + 200 + 1_799)
        #expect(state.challenge?.isAnswered == true && state.challenge?.askedBackAt.count == 1)
    }

    @Test("nothing of a connection outlasts it")
    func disconnected() {
        var state = busy
        state.disconnect()
        #expect(state.following == nil && state.retryAt == nil && state.challenge == nil)
        becomeLive(&state, tag: 2)
        #expect(state.isLive && state.inFlight.isEmpty && !state.turnIsSent && !state.isTooLarge(entry))
        #expect(state.retryAt == nil && state.commitProposalsAt == nil)
        #expect(state.challenge?.isAnswered == false && state.challenge?.askedBackAt.isEmpty == true)
    }

    @Test("nothing of a connection is noted offline")
    func offline() {
        var state = SyncState.offline(retryAt: 100)
        state.didSend(entry)
        state.didSendTurn()
        state.setAside(tooLarge: entry)
        state.enterEpoch()
        let change = state.change(by: proposals, at: 3_000) { _ in 0 }
        #expect(change == nil && state.commitProposalsAt == nil)
        #expect(state.following == nil && state.inFlight.isEmpty && !state.turnIsSent && !state.isTooLarge(entry))
        #expect(state.retryAt == 100)
        becomeLive(&state, tag: 1)
        #expect(state.inFlight.isEmpty && !state.turnIsSent && !state.isTooLarge(entry))
    }

    @Test("a new epoch ends what was sent, but not what belongs to the connection")
    func newEpoch() {
        var state = busy
        state.enterEpoch()
        #expect(state.isOpening && state.inFlight.isEmpty && !state.turnIsSent && state.commitProposalsAt == nil)
        #expect(state.isTooLarge(entry) && state.retryAt == 100 && state.isFollowing(1))
        #expect(state.challenge?.isAnswered == true)
        state.endFollow()
        #expect(!state.isFollowing(1))
        becomeLive(&state, tag: 2)
        #expect(state.isLive && state.isFollowing(2) && state.isTooLarge(entry))
        #expect(state.inFlight.isEmpty && !state.turnIsSent && state.commitProposalsAt == nil)
        #expect(state.challenge?.isAnswered == true && state.challenge?.askedBackAt.isEmpty == true)
    }

    @Test("nothing is sent while a commit is fetched, and the commit is taken once")
    func awaitedCommit() {
        var state = busy
        let (reference, turn) = (reference, turn(reference))
        state.waitForCommit(of: turn, reference)
        #expect(!state.isLive && !state.isOpening && state.awaited?.entry == turn)
        #expect(state.inFlight == [entry] && !state.turnIsSent && state.commitProposalsAt == nil)
        state.didSend(.random())
        #expect(state.inFlight == [entry])
        state.didLand(entry)
        #expect(state.inFlight.isEmpty && state.isFollowing(1))
        let first = state.takeAwaited()
        let second = state.takeAwaited()
        #expect(first?.entry == turn && second == nil && state.awaited == nil && state.isOpening)
    }

    @Test("a commit that is being fetched is given up with the connection")
    func awaitedCommitLost() {
        var state = busy
        state.waitForCommit(of: turn(reference), reference)
        state.disconnect()
        let taken = state.takeAwaited()
        #expect(state.awaited == nil && taken == nil && state.inFlight.isEmpty)
    }

    @Test("an entry that was answered is no longer in flight")
    func landed() {
        var state = busy
        state.didLand(.random())
        #expect(state.inFlight == [entry])
        state.didLand(entry)
        #expect(state.inFlight.isEmpty)
    }

    @Test("a pause belongs to the connection, or to the time without one")
    func pauses() {
        var state = SyncState.offline(retryAt: nil)
        state.pause(until: 10)
        #expect(state.retryAt == 10)
        becomeLive(&state, tag: 1)
        #expect(state.retryAt == 10)
        state.endPause()
        #expect(state.retryAt == nil && state.isLive)
        state.pause(until: 20)
        #expect(state.retryAt == 20 && state.isLive)
        state.disconnect()
        #expect(state.retryAt == nil)
    }
}
