/// The beginning of the texts that an inviter has written before the invited person could read them. An invitation contains the
/// first lines, so that a recipient can read them before the decision about an unknown inviter, without a request to the relay.
///
/// In an invitation, the text is padded with zeros to ``ClientLimits/firstLines`` bytes, so that the relay does not see its length.
struct FirstLines: Hashable, Sendable {
    let text: String

    /// No text.
    static let none = FirstLines([])

    /// Joins the texts, one per line, and cuts the result to ``ClientLimits/firstLines`` bytes.
    init(_ texts: [String]) {
        var text = ""
        var length = 0
        for character in texts.joined(separator: "\n") {
            length += character.utf8.count
            guard length <= ClientLimits.firstLines else { break }
            text.append(character)
        }
        self.text = text
    }

    /// Reads the padded form. A text that could not be a message counts as no text.
    init(padded: [UInt8]) {
        let bytes = padded.prefix { $0 != 0 }
        guard let text = String(validating: bytes, as: UTF8.self), TextRules.problem(with: text) == nil,
            padded.dropFirst(bytes.count).allSatisfy({ $0 == 0 })
        else {
            self.init([])
            return
        }
        self.init([text])
    }

    /// The padded form.
    var padded: [UInt8] {
        let bytes = Array(text.utf8)
        return bytes + [UInt8](repeating: 0, count: ClientLimits.firstLines - bytes.count)
    }
}
