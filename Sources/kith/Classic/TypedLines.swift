import KithClient

/// The lines that a person types in a classic conversation. This type decides when the typed lines are sent. The type performs no
/// input or output.
///
/// Anyone who knows both ids can answer, so a line that was typed before the other user's key was shown has to wait. If the shown
/// key is the expected key, the waiting lines are sent at once. If no key or another key was expected, the waiting lines are sent
/// when the person presses Enter.
struct TypedLines {
    enum Input: Equatable, Sendable {
        case line(String)
        /// The user pressed ctrl-D.
        case endOfInput
        /// The other user's key is on the screen, and messages can be sent.
        case opened(hasExpectedKey: Bool)
    }

    enum Output: Equatable {
        case send(String)
        case show(Sentence)
        /// Replace the status line above the input line; `nil` removes it.
        case status(Sentence?)
        /// Accept lines again after the end of the input.
        case takeMore
        case leave
    }

    private enum Stage {
        /// The other user has not joined yet.
        case waiting
        /// The other user's key is shown, but this user has not pressed Enter since.
        case shown
        case talking
    }

    let peer: String
    private var stage = Stage.waiting
    private var held: [String] = []
    private var wasToldOfEnd = false

    init(peer: String) { self.peer = peer }

    /// Number of unsent lines.
    var heldCount: Int { held.count }

    mutating func handle(_ input: Input) -> [Output] {
        switch input {
        case .line(let line):
            wasToldOfEnd = false
            return take(line)
        case .endOfInput: return end()
        case .opened(let hasExpectedKey):
            stage = hasExpectedKey ? .talking : .shown
            if hasExpectedKey { return release() }
            guard !held.isEmpty else { return [] }
            return [
                .show(
                    "\(Self.lines(held.count)) not sent yet: compare the keys first; Enter sends, ctrl-C leaves without sending"
                ),
                .status(status),
            ]
        }
    }

    private mutating func take(_ line: String) -> [Output] {
        switch stage {
        case .waiting:
            guard !line.isEmpty else { return [] }
            held.append(line)
            return [.status(status)]
        case .shown, .talking:
            stage = .talking
            return release() + (line.isEmpty ? [] : [.send(line)])
        }
    }

    private mutating func release() -> [Output] {
        guard !held.isEmpty else { return [] }
        defer { held = [] }
        return [.status(nil)] + held.map { .send($0) }
    }

    /// Handles ctrl-D. The first ctrl-D explains why lines wait. The second ctrl-D leaves.
    private mutating func end() -> [Output] {
        guard !held.isEmpty, !wasToldOfEnd else { return [.leave] }
        wasToldOfEnd = true
        let when: Sentence =
            stage == .waiting ? "until \(name: peer) is here and you have seen the key" : "until you press Enter"
        return [
            .show("\(Self.lines(held.count)) kept \(when); ctrl-C, or ctrl-D again, leaves without sending"),
            .takeMore,
        ]
    }

    private var status: Sentence? {
        guard let first = held.first else { return nil }
        let more: Sentence = held.count > 1 ? " and \(held.count - 1) more" : ""
        let what: Sentence = "\(quoted: MessageRenderer.snippet(first))\(more)"
        return stage == .waiting ? "[waiting: \(what)]" : "[Enter sends \(what)]"
    }

    private static func lines(_ count: Int) -> Sentence { count == 1 ? "1 line is" : "\(count) lines are" }
}
