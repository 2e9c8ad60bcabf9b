// Sentences about changes of messages, for `explain`.

extension EntryRecord.ChangeNote {
    var sentence: Sentence {
        let attempt: Sentence =
            switch kind {
            case .reaction: "It sets or removes the sender's reaction to entry \(target)."
            case .edit: "It edits entry \(target)."
            case .deletion: "It deletes entry \(target)."
            case .pin: "It pins entry \(target)."
            case .unpin: "It removes the pin of entry \(target)."
            }
        return isApplied
            ? attempt
            : "\(attempt) It had no effect: the message is not here, it was like that already, its sender may not do this, or this Kith did not know such changes when it came."
    }
}

extension MarksRecord {
    /// The reactions, the pin and the earlier texts of a message.
    func sentences(_ device: DeviceState) -> [Sentence] {
        var lines = reactions.map { reaction in
            "\(name: device.name(of: device.author(with: reaction.account))) reacted with \(quoted: reaction.text)."
                as Sentence
        }
        if isPinned { lines.append("It is pinned.") }
        guard editCount > 0 else { return lines }
        lines.append("Its author has edited it \(own: editCount == 1 ? "once" : "\(editCount) times").")
        if earlierTexts.count < editCount {
            lines.append("\(Int(editCount) - earlierTexts.count) of the earlier texts are too long to be kept.")
        }
        for earlier in earlierTexts {
            lines.append("Until entry \(earlier.replacedAt), it was \(quoted: earlier.text.text).")
        }
        return lines
    }
}
