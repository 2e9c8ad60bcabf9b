import KithCore
import KithWire

/// Checks that members detect a relay's lie about the entries before a turn.
extension InvariantChecker {
    /// Checks that the lie was detected. Two members were shown different entries before a turn, and both entered the epoch after
    /// the turn. If the deceived member receives a message from the other member after the turn, one of the two has to detect the
    /// lie. One suspicious member is enough: that member asks its user, and sends nothing before the answer.
    func checkLie() {
        guard let lie else { return }
        let victim = world.clients[lie.victim]
        for relay in world.relays {
            for (channel, state) in relay.model.channels.sorted(by: {
                $0.key.bytes.lexicographicallyPrecedes($1.key.bytes)
            }) {
                guard let turn = lie.liedTurn(state.archive), didTake(turn, of: channel, victim),
                    let id = victim.machine?.conversation(on: channel)
                else { continue }
                let heard = Set(((try? victim.machine?.history(of: id, before: nil, limit: .max)) ?? []).map(\.id))
                for other in world.clients where other.index != lie.victim && didTake(turn, of: channel, other) {
                    let speaks = state.archive.contains { entry in
                        entry.epoch > turn.epoch && heard.contains(entry.id)
                            && numbers[entry.id].flatMap { said[$0]?.author } == other.index
                            && wereMembers([victim, other], of: channel, in: turn.epoch...entry.epoch)
                    }
                    guard speaks else { continue }
                    liesJudged += 1
                    if !knowsOfLie(victim, channel), !knowsOfLie(other, channel) {
                        world.reportViolation(
                            "\(victim.name) heard \(other.name) after the relay lied before seq \(turn.seq), and nobody was told"
                        )
                    }
                }
            }
        }
    }

    /// Whether the clients were members of the channel in all given epochs. A member that was removed and added again does not
    /// see the entries in between.
    private func wereMembers(
        _ clients: [SimulatedClient], of channel: ChannelID, in epochs: ClosedRange<UInt64>
    ) -> Bool {
        clients.allSatisfy { client in
            epochs.allSatisfy { known[client.index]?[EpochPlace(channel: channel, epoch: $0)] != nil }
        }
    }

    /// Whether a client was in the epoch that a turn ended, read the turn from the log, and entered the next epoch.
    private func didTake(_ turn: Entry, of channel: ChannelID, _ client: SimulatedClient) -> Bool {
        let epochs = known[client.index] ?? [:]
        return told[client.index]?.contains(turn.id) == true
            && epochs[EpochPlace(channel: channel, epoch: turn.epoch)] != nil
            && epochs[EpochPlace(channel: channel, epoch: turn.epoch + 1)] != nil
    }

    private func knowsOfLie(_ client: SimulatedClient, _ channel: ChannelID) -> Bool {
        guard let machine = client.machine, let id = machine.conversation(on: channel) else { return false }
        // A member whom the turn removes is warned, but does not have to decide whether to send.
        let isWarned = warnings.contains { warned in
            guard case .differentLogs = warned.warning else { return false }
            return warned.client == client.index && warned.conversation == id
        }
        return isWarned || suspected[client.index]?.contains(id) == true
            || (try? machine.conversationSummary(id).isSuspect) == true
    }
}
