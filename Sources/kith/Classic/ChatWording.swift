import ClassicSession
import KithClient

/// What a classic conversation prints, line by line. Pure.
struct ChatWording: Sendable {
    let me: ClassicID
    let peer: ClassicID
    let explains: Bool

    /// What is said before anything else.
    var opening: [ScreenLine] {
        [
            ScreenLine(
                .notice,
                "[classic session: for study and for showing. It has no forward secrecy: whoever records it and later "
                    + "gets a key can read it all. Everyday chat uses MLS.]")
        ]
    }

    func lines(_ event: ChatEvent) -> [ScreenLine] {
        switch event {
        case .connected(let address, let pin, let isFirstContact):
            isFirstContact
                ? [ScreenLine(.notice, "[first contact with the relay at \(address); its key is remembered: \(pin)]")]
                : [ScreenLine(.notice, "[connected to the relay at \(address)]")]
        case .session(let event): lines(event)
        case .beganAnew:
            [
                ScreenLine(
                    .notice, "[\(peer), or somebody in their name, started again in the middle of it; beginning anew]")
            ]
        case .reconnecting: [ScreenLine(.notice, "[the connection to the relay broke; connecting again]")]
        case .reconnected: [ScreenLine(.notice, "[connected again; nothing is lost]")]
        case .sent(let text): [ScreenLine(.own, text, head: "\(me) : ")]
        case .notSent(let error): [ScreenLine(.notice, "[not sent: \(error)]")]
        case .unsent(let count):
            [ScreenLine(.notice, count == 1 ? "[1 line was not sent]" : "[\(count) lines were not sent]")]
        }
    }

    private func lines(_ event: Event) -> [ScreenLine] {
        switch event {
        case .explained(let explanation):
            explains ? [ScreenLine(.explanation, "  \(explanation)")] : []
        case .waiting:
            [ScreenLine(.notice, "[waiting for \(peer)]")]
        case .peerKey(let fingerprint):
            [ScreenLine(.notice, "[\(peer) has the key \(fingerprint)]")]
        case .refusedKey:
            // Said with the failure that ends the program.
            []
        case .established(let established):
            [
                ScreenLine(
                    .notice,
                    established.wasExpected
                        ? "[\(peer) is here, with the expected key]"
                        : "[\(peer) is here. Compare keys aloud before you trust it; yours is \(established.ownKey)]")
            ]
        case .message(_, let text):
            [ScreenLine(.message, text, head: "\(peer) : ", mark: .verified)]
        case .missing(let numbers):
            [
                ScreenLine(
                    .failure,
                    numbers.count == 1
                        ? "\(peer): [message \(numbers.lowerBound) is missing]"
                        : "\(peer): [messages \(numbers.lowerBound) to \(numbers.upperBound) are missing]")
            ]
        case .dropped(let dropped):
            if dropped.isHarmless {
                explains ? [ScreenLine(.explanation, "  ignored: \(dropped.meaning)")] : []
            } else {
                [ScreenLine(.failure, "\(peer): [\(dropped)]")]
                    + (explains ? [ScreenLine(.explanation, "  \(dropped.meaning)")] : [])
            }
        case .peerStartedAgain:
            [
                ScreenLine(
                    .notice,
                    "[\(peer), or somebody in their name, has started again. To talk to that run, leave and start again "
                        + "too]")
            ]
        case .ended(let ending):
            [ScreenLine(.notice, self.ending(ending))]
        }
    }

    private func ending(_ ending: Ending) -> String {
        switch ending {
        case .goodbye: "[\(peer) said goodbye]"
        case .left: "[you left]"
        case .cut, .internalFailure: "[\(ending)]"
        }
    }
}
