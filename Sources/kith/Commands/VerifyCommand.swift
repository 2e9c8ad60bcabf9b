import ArgumentParser
import Foundation
import KithClient

/// `kith verify`: compares the keys of the user and a contact.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare safety numbers with a contact, and decide about a changed key.",
        discussion: """
            Both people see the same 60 digits if nobody stands between them. Read them to each other over the phone, or \
            compare the two screens. On a terminal, the command asks whether they were the same; otherwise it only shows \
            them.

            If another key claims to be the contact's, nothing is sent until you decide. --accept-new-key accepts it as \
            unverified; --keep-key keeps the pinned one.

            EXAMPLES
              kith verify bob
              kith verify bob --yes   marks them as compared without asking
              kith verify bob --undo  takes that back
              kith verify bob --accept-new-key
              kith verify bob --json | jq -r .safetyNumber

            JSON
              One object: contact, name, verified, trust, fingerprint,
              conflictingFingerprint, ..., safetyNumber.

            EXIT CODES
              0  the number was shown, or the change was made
              1  error, or the digits differ
              3  another key claims to be the contact's: decide first
              5  another process has the profile open
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The contact.")
    var name: String

    @Flag(name: .long, help: "The digits were compared and are the same.")
    var yes = false

    @Flag(name: .long, help: "Take back that the digits were compared.")
    var undo = false

    @Flag(name: .long, help: "Accept the other key as the contact's own.")
    var acceptNewKey = false

    @Flag(name: .long, help: "Keep the pinned key, and forget the other.")
    var keepKey = false

    func validate() throws {
        if [yes, undo, acceptNewKey, keepKey].filter({ $0 }).count > 1 {
            throw ValidationError("--yes, --undo, --accept-new-key and --keep-key exclude each other.")
        }
    }

    func run() async throws {
        try await reportingFailure {
            if acceptNewKey || keepKey { return try await decide() }
            if undo || yes { return try await set(verified: yes) }
            let contact = try await look()
            if contact.conflictingKey != nil { throw Failure(conflict(contact), code: .wrongKey) }
            guard !options.json, contact.trust != .compared, let prompt = Prompt() else { return }
            defer { prompt.close() }
            switch try await prompt.decide("Are these digits the same on the other side?") {
            case .yes: break
            case .no:
                throw Failure(
                    "not marked as compared. If the digits differ, somebody may stand between you and \(name: contact.name); send no secrets there"
                )
            case nil: return StandardStream.error.say("nothing was changed; kith verify asks again")
            }
            prompt.close()
            try await set(verified: true)
        }
    }

    /// Shows the safety number. Nothing is changed, so the profile may be open in another process.
    private func look() async throws -> Contact {
        try await options.withOpenForReading { profile in
            let contact = try await NamedTarget.contact(name, in: profile)
            let number = try await profile.safetyNumber(with: contact.id)
            if options.json {
                JSONLine.print(Compared(contact: ContactReport(contact), safetyNumber: number.description))
            } else {
                show(contact, number)
            }
            return contact
        }
    }

    private func show(_ contact: Contact, _ number: SafetyNumber) {
        var text = "You and \(SafeText.name(contact.name)) (\(contact.trust.sentence)):\n\n"
        for row in stride(from: 0, to: number.groups.count, by: 4) {
            text += "    " + number.groups[row..<min(row + 4, number.groups.count)].joined(separator: "  ") + "\n"
        }
        StandardStream.output.write(text + "\n")
        if StandardStream.error.isTerminal, let code = QRCode(number.digits) {
            // The digits stand above the code, and the question below it.
            QRCodeText.print(code, otherLines: 8, remedy: "enlarge it and run the command again")
        }
    }

    private func set(verified: Bool) async throws {
        try await options.withOpen { profile in
            let contact = try await NamedTarget.contact(name, in: profile)
            if verified, contact.conflictingKey != nil { throw Failure(conflict(contact), code: .wrongKey) }
            try await profile.setVerified(contact.id, verified)
            try await report(contact.id, profile, verified ? "marked as compared" : "no longer marked as compared")
        }
    }

    private func decide() async throws {
        try await options.withOpen { profile in
            let contact = try await NamedTarget.contact(name, in: profile)
            guard contact.conflictingKey != nil else {
                throw Failure("no other key claims to be \(name: contact.name)'s")
            }
            try await profile.decideKey(of: contact.id, accept: acceptNewKey)
            try await report(contact.id, profile, acceptNewKey ? Self.accepted(contact) : "keeps the pinned key")
        }
    }

    /// Reports that the contact's new key was accepted, and says how to get a new inbox address. The known inbox address belongs
    /// to the old key, so it is not valid for the new key.
    private static func accepted(_ contact: Contact) -> Sentence {
        let way: Sentence = contact.registeredName.map { "kith lookup \(name: $0.text)" } ?? "an invite of theirs"
        return "has the new key now, unverified; to begin a conversation, use \(way)"
    }

    private func report(_ id: ContactID, _ profile: Profile, _ text: Sentence) async throws {
        guard let contact = await profile.contacts().first(where: { $0.id == id }) else { return }
        if options.json {
            let number = try await profile.safetyNumber(with: id)
            JSONLine.print(Compared(contact: ContactReport(contact), safetyNumber: number.description))
        } else {
            StandardStream.error.say("\(name: contact.name): \(text)")
        }
    }

    private func conflict(_ contact: Contact) -> Sentence {
        let name: Sentence = "\(name: contact.name)"
        let other = contact.conflictingKey?.fingerprint.description ?? "?"
        let keys: Sentence = "Pinned: \(contact.accountKey.fingerprint). Other: \(own: other)."
        return
            "another key claims to be \(name)'s. \(keys) Nothing is sent until you decide, after asking \(name) through another channel: --accept-new-key or --keep-key"
    }

    /// The report of a contact, with the safety number as an additional field.
    private struct Compared: Encodable {
        let contact: ContactReport
        let safetyNumber: String

        private enum Field: CodingKey { case safetyNumber }

        func encode(to encoder: any Encoder) throws {
            try contact.encode(to: encoder)
            var container = encoder.container(keyedBy: Field.self)
            try container.encode(safetyNumber, forKey: .safetyNumber)
        }
    }
}
