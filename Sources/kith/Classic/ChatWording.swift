import ClassicSession
import KithClient

/// What a classic conversation prints, line by line. Pure.
struct ChatWording: Sendable {
    /// What a line is, which decides where it goes and how it looks.
    enum Kind: Sendable, Equatable {
        /// What the other user said.
        case message
        /// What the user said.
        case own
        /// Something from the other side that was not used.
        case failure
        /// About the conversation.
        case notice
        /// One step, for `--explain`.
        case explanation
    }

    struct Line: Sendable, Equatable {
        let kind: Kind
        /// Safe for a terminal.
        let text: String

        init(_ kind: Kind, _ text: String) {
            self.kind = kind
            self.text = SafeText.oneLine(text)
        }
    }

    let me: ClassicID
    let peer: ClassicID
    let explains: Bool

    /// What is said before anything else.
    var opening: [Line] {
        [
            Line(
                .notice,
                "[classic session: for study and for showing. It has no forward secrecy: whoever records it and later "
                    + "gets a key can read it all. Everyday chat will use MLS.]")
        ]
    }

    func lines(_ event: ChatEvent) -> [Line] {
        switch event {
        case .connected(let address, let pin, let isFirstContact):
            isFirstContact
                ? [Line(.notice, "[first contact with the relay at \(address); its key is remembered: \(pin)]")]
                : [Line(.notice, "[connected to the relay at \(address)]")]
        case .session(let event): lines(event)
        case .beganAnew: [Line(.notice, "[\(peer) started again in the middle of it; beginning anew]")]
        case .reconnecting: [Line(.notice, "[the connection to the relay broke; connecting again]")]
        case .reconnected: [Line(.notice, "[connected again; nothing is lost]")]
        case .sent(let text): [Line(.own, "\(me) : \(text)")]
        case .notSent(let error): [Line(.notice, "[not sent: \(error)]")]
        }
    }

    private func lines(_ event: Event) -> [Line] {
        switch event {
        case .explained(let explanation):
            explains ? [Line(.explanation, "  \(explanation)")] : []
        case .waiting:
            [Line(.notice, "[waiting for \(peer)]")]
        case .peerKey(let fingerprint):
            [Line(.notice, "[\(peer) has the key \(fingerprint)]")]
        case .refusedKey:
            // Said with the failure that ends the program.
            []
        case .established(let established):
            [
                Line(
                    .notice,
                    established.wasExpected
                        ? "[\(peer) is here, with the expected key]"
                        : "[\(peer) is here. Compare keys aloud before you trust it; yours is \(established.ownKey)]")
            ]
        case .message(_, let text):
            [Line(.message, "\(peer) : \(SafeText.oneLine(text)) (verified)")]
        case .missing(let numbers):
            [
                Line(
                    .failure,
                    numbers.count == 1
                        ? "\(peer): [message \(numbers.lowerBound) is missing]"
                        : "\(peer): [messages \(numbers.lowerBound) to \(numbers.upperBound) are missing]")
            ]
        case .dropped(let dropped):
            if dropped.isHarmless {
                explains ? [Line(.explanation, "  ignored: \(dropped.meaning)")] : []
            } else {
                [Line(.failure, "\(peer): [\(dropped)]")]
                    + (explains ? [Line(.explanation, "  \(dropped.meaning)")] : [])
            }
        case .peerStartedAgain:
            [
                Line(
                    .notice,
                    "[\(peer), or somebody in their name, has started again. To talk to that run, leave and start again "
                        + "too]")
            ]
        case .ended(let ending):
            [Line(.notice, self.ending(ending))]
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
