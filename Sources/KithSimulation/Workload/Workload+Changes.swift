import KithCore
import KithWire

// Operations on messages that are already in the log.

extension Workload {
    /// Reacts to, edits, deletes, pins or unpins a recent message.
    func changeMessage(_ client: SimulatedClient) {
        guard let conversation = conversation(of: client),
            let recent = try? client.machine?.history(of: conversation.id, before: nil, limit: 12),
            let message = world.random.pick(recent.filter { $0.seq != nil && $0.text != nil }), let seq = message.seq,
            let number = Marker.numbers(in: Array((message.text ?? "").utf8)).first
        else { return }
        let id = conversation.id
        switch world.random.pick(0...99) {
        case 0...39: client.perform(.change(id, seq, .reaction(world.random.pick(["👍", "🎉", "👎", nil]) ?? nil)))
        case 40...64:
            // The new text is noted even if the person is not the author. In that case, the program refuses the edit.
            let text = world.checker.editText(number, words: "edited \(world.random.pick(0...999_999))")
            client.perform(.change(id, seq, .edit(text)))
        case 65...79:
            if message.author == .me { world.checker.deleteText(number) }
            client.perform(.change(id, seq, .deletion))
        default: client.perform(.change(id, seq, .pin(world.random.chance(0.7))))
        }
    }
}
