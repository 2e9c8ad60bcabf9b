import KithClient

/// Messages as commands print them for people: nothing in them reaches the terminal that it would obey.
struct MessageText {
    /// Whether colours are shown.
    var colours = TerminalMode.wantsColours
    /// The user's name, under which what the user did is kept.
    var me: String?
    /// Whether to say which conversation it is.
    var namesConversation: String?

    /// The message in lines.
    func lines(_ message: Message) -> [String] {
        let place = message.seq.map { "\($0)" } ?? "-"
        let time = Timestamp(ms: message.sentAtMs).local
        let room = namesConversation.map { "\(MessageWording.name($0)) › " } ?? ""
        var lines: [String]
        switch message.body {
        case .text(let text):
            lines = withHead(time: time, place: place, author: room + author(message), text: text)
        case .notice(let notice):
            lines = [
                dim("\(head(time, place))\(room)[\(SafeText.oneLine(notice.sentence(for: me).description))]")
            ]
        case .needsNewerKith(let kind):
            lines = [
                head(time, place) + room + author(message) + ": "
                    + dim("[something of kind \(kind), which needs a newer Kith]")
            ]
        }
        if let mark = mark(message.delivery) { lines[lines.count - 1] += dim(" [\(mark)]") }
        return lines
            + message.warnings.map { Colour.red.paint("  ! \(SafeText.oneLine($0.sentence.description))", if: colours) }
    }

    private func head(_ time: String, _ place: String) -> String { "\(time)  \(place)  " }

    private func withHead(time: String, place: String, author: String, text: String) -> [String] {
        let head = head(time, place)
        let indent = String(repeating: " ", count: head.count)
        return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated().map {
            index, line in
            let safe = SafeText.oneLine(String(line))
            return index == 0 ? dim(head) + "\(author): \(safe)" : "\(indent)  \(safe)"
        }
    }

    private func author(_ message: Message) -> String {
        switch message.author {
        case .me: return Colour.green.paint("you", if: colours)
        case .kith: return "kith"
        case .contact(_, let name, let trust):
            let painted = Colour.cyan.paint(MessageWording.name(name), if: colours)
            return trust.isVerified ? painted : painted + Colour.yellow.paint(" (unverified)", if: colours)
        }
    }

    private func mark(_ delivery: Delivery?) -> String? {
        switch delivery {
        case nil, .onRelay: nil
        case .queued: "queued"
        case .read(let count): count == 1 ? "read" : "read by \(count)"
        }
    }

    private func dim(_ text: String) -> String { Colour.dim.paint(text, if: colours) }
}
