import KithCore
import KithWire

// Checks that changes of messages lead to the same state on all devices.

extension InvariantChecker {
    /// The state of a message on one device. People are named by their index, because each device has its own names for them.
    private struct State: Equatable {
        let text: String?
        let isEdited: Bool
        let isPinned: Bool
        /// The reactions, each with the author's index.
        let reactions: [String]
    }

    /// Checks that devices which have read the same log without a gap show the same state of each message. Checks that no
    /// device's store contains a deleted text.
    func checkChanges() {
        guard world.profile.changesMessages, relaysAreHonest else { return }
        for relay in world.relays {
            for (channel, log) in relay.model.channels {
                var states: [EntryID: State] = [:]
                // A device drops what blocked people write, so devices that have blocked people are left out.
                for client in world.clients where blocked[client.index] == nil {
                    guard let machine = client.machine, let id = machine.conversation(on: channel),
                        machine.snapshot(of: id)?.lastSeq == log.lastSeq,
                        let messages = try? machine.history(of: id, before: nil, limit: .max),
                        !messages.contains(where: \.isGap)
                    else { continue }
                    for message in messages where message.seq != nil && message.author != .kith {
                        check(message, client, &states)
                    }
                    checkErased(messages, client)
                }
            }
        }
    }

    private func check(_ message: Message, _ client: SimulatedClient, _ states: inout [EntryID: State]) {
        // Devices erase expired texts by their own clocks, so their states may differ.
        if message.expiresAfter != nil { return }
        let state = State(
            text: message.text, isEdited: message.isEdited, isPinned: message.isPinned,
            reactions: message.reactions.map { reaction in
                "\(author(reaction.author, client).map(String.init) ?? "somebody") \(reaction.text)"
            })
        if let other = states.updateValue(state, forKey: message.id), other != state {
            world.reportViolation(
                "\(client.name) shows message \(message.seq ?? 0) as \(state), and another member as \(other)")
        }
        changedMessages += state.isEdited || state.isPinned || !state.reactions.isEmpty || state.text == nil ? 1 : 0
    }

    /// Checks that no stored value contains a text that the device shows as deleted.
    private func checkErased(_ messages: [Message], _ client: SimulatedClient) {
        let deleted = Set(messages.filter { $0.body == .deleted }.compactMap { numbers[$0.id] })
        guard !deleted.isEmpty else { return }
        for table in StoreTable.allCases {
            for value in (try? client.store.allValues(table)) ?? [] {
                for number in Marker.numbers(in: value.bytes) where deleted.contains(number) {
                    world.reportViolation("\(client.name) has the deleted text \(number) in its table \(table)")
                }
            }
        }
    }
}

extension Message {
    /// Whether the message reports a part of the log that the device never had.
    fileprivate var isGap: Bool { if case .notice(.missed) = body { true } else { false } }
}
