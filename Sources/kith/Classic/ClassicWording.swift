import ClassicSession
import KithClient

/// Renders events of a classic conversation as lines for a person. The type performs no input or output.
struct ClassicWording: Sendable {
    let me: ClassicID
    let peer: ClassicID
    let explains: Bool

    /// The lines that are printed before the first event.
    var opening: [ScreenLine] {
        [
            ScreenLine(
                .notice,
                "[classic session: for study and demonstration. It has no forward secrecy: anybody who records it and later "
                    + "gets a key can read it all. Everyday chat uses MLS.]")
        ]
    }

    func lines(_ event: ClassicEvent) -> [ScreenLine] {
        switch event {
        case .connected(let address, let pin, let isFirstContact):
            isFirstContact
                ? [ScreenLine(.notice, "[first contact with the relay at \(address); its key is remembered: \(pin)]")]
                : [ScreenLine(.notice, "[connected to the relay at \(address)]")]
        case .session(let event): lines(event)
        case .beganAnew:
            [
                ScreenLine(
                    .notice,
                    "[\(name: peer.name), or somebody in their name, started again before the session was open; restarting]"
                )
            ]
        case .reconnecting: [ScreenLine(.notice, "[the connection to the relay broke; connecting again]")]
        case .reconnected: [ScreenLine(.notice, "[connected again; nothing is lost]")]
        case .sent(let text):
            [
                ScreenLine(
                    .own, head: ScreenLine.head(author: SafeText.name(me.name), isOwn: true), TextLine(plain: text))
            ]
        case .notSent(let error): [ScreenLine(.notice, "[not sent: \(own: error.description)]")]
        case .unsent(let count):
            [ScreenLine(.notice, count == 1 ? "[1 line was not sent]" : "[\(count) lines were not sent]")]
        }
    }

    private func lines(_ event: Event) -> [ScreenLine] {
        switch event {
        case .explained(let explanation):
            explains ? [ScreenLine(.explanation, "  \(own: explanation.description)")] : []
        case .waiting:
            [ScreenLine(.notice, "[waiting for \(name: peer.name)]")]
        case .peerKey(let fingerprint):
            [ScreenLine(.notice, "[\(name: peer.name) has the key \(own: fingerprint.description)]")]
        case .refusedKey:
            // The failure that ends the program already contains both keys.
            []
        case .established(let established):
            [
                ScreenLine(
                    .notice,
                    established.wasExpected
                        ? "[\(name: peer.name) is here, with the expected key]"
                        : "[\(name: peer.name) is here. Compare keys aloud before you trust it; yours is \(own: established.ownKey.description)]"
                )
            ]
        case .message(_, let text):
            [
                ScreenLine(
                    .message, head: ScreenLine.head(author: SafeText.name(peer.name), trust: .verified),
                    TextLine(plain: text))
            ]
        case .missing(let numbers):
            [
                ScreenLine(
                    .failure,
                    numbers.count == 1
                        ? "\(name: peer.name): [message \(numbers.lowerBound) is missing]"
                        : "\(name: peer.name): [messages \(numbers.lowerBound) to \(numbers.upperBound) are missing]")
            ]
        case .dropped(let dropped):
            if dropped.isHarmless {
                explains ? [ScreenLine(.explanation, "  ignored: \(own: dropped.meaning)")] : []
            } else {
                [ScreenLine(.failure, "\(name: peer.name): [\(own: dropped.description)]")]
                    + (explains ? [ScreenLine(.explanation, "  \(own: dropped.meaning)")] : [])
            }
        case .peerStartedAgain:
            [
                ScreenLine(
                    .notice,
                    "[\(name: peer.name), or somebody in their name, has started again. To talk to that run, leave and start again]"
                )
            ]
        case .ended(let ending):
            [ScreenLine(.notice, self.ending(ending))]
        }
    }

    private func ending(_ ending: Ending) -> Sentence {
        switch ending {
        case .goodbye: "[\(name: peer.name) said goodbye]"
        case .left: "[you left]"
        case .cut, .internalFailure: "[\(own: ending.description)]"
        }
    }
}
