import ArgumentParser
import KithClient

/// `kith invite`: creates, lists and revokes invites.
struct InviteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite",
        abstract: "Make an invite: one line with which another person can talk to you.",
        discussion: """
            Prints the line, and nothing else, on standard output. It is a secret between you and the other person: pass \
            it on in private. It carries your key, so the other person can be sure that it is you. A person who uses it \
            is shown as "from your invite". People who use a reusable invite wait until you accept them, with kith chat \
            NAME or kith send NAME; kith listen --accept accepts everybody.

            EXAMPLES
              kith invite --relay relay.example.org:7443  the first one: names the relay
              kith invite                                 at the same relay
              kith invite --qr                            also as a QR code
              kith invite --wait                          waits, and tells who used it
              kith invite --reusable --expires 30d        for many people
              kith invite --list                          lists open invites
              kith invite --revoke 3                      close number 3

            JSON
              One object for each invite: invite (its number), line, relay, reusable,
              expires. With --wait, another when it is used: usedBy, conversation.

            EXIT CODES
              0  done    1  error    3  the relay has another key
              4  the relay was not reached in time; with --revoke, the invite is
                 closed on this device, and later at the relay
              5  another process has the profile open
              6  the relay has no room
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relay: RelayChoice
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Flag(name: .long, help: "Make an invite for more than one person.")
    var reusable = false

    @Option(
        name: .long, help: ArgumentHelp("Lifetime of the invite, counted from now (12h, 7d, ...).", valueName: "time"),
        transform: DurationArgument.read)
    var expires = DurationArgument(seconds: 7 * 86_400)

    @Flag(name: .long, help: "Also draw it as a QR code, on standard error.")
    var qr = false

    @Flag(name: .long, help: "Wait until it is used.")
    var wait = false

    @Flag(name: .long, help: "List the invites that are open.")
    var list = false

    @Option(name: .long, help: ArgumentHelp("Close the invite with this number.", valueName: "number"))
    var revoke: UInt64?

    func validate() throws {
        if list, revoke != nil { throw ValidationError("--list and --revoke exclude each other.") }
        if list || revoke != nil, wait || qr || reusable || relay.isGiven {
            throw ValidationError("--list and --revoke make no invite, so they take none of its options.")
        }
        if expires.seconds == 0 { throw ValidationError("--expires must be longer than zero.") }
    }

    func run() async throws {
        try await reportingFailure {
            if list { return try await printOpen() }
            try await options.withOpen { profile in
                if let revoke { return try await close(InboxID(rawValue: revoke), in: profile) }
                let events = await profile.events()
                let point = try await relay.point(for: profile, within: relayTimeout.limit)
                let open = try await relayTimeout.wait(
                    for: profile, at: point.address,
                    hint: "It can be used once the relay has been reached; kith invite --list shows it."
                ) {
                    try await profile.createInvite(at: point, isReusable: reusable, lifetime: expires.duration)
                }
                guard show(open) else { return }
                if wait { try await waitForUse(of: open, profile, events) }
            }
        }
    }

    private func show(_ open: OpenInvite) -> Bool {
        let line = open.invite.line
        if qr, let code = QRCode(line) {
            QRCodeText.print(code, otherLines: 1, isRequested: true, remedy: "enlarge it, or choose a smaller font")
        }
        return options.json ? JSONLine.print(InviteReport(open)) : StandardStream.output.write(line + "\n")
    }

    private func waitForUse(
        of open: OpenInvite, _ profile: Profile, _ events: AsyncStream<KithEvent>
    ) async throws {
        StandardStream.error.write("[waiting for somebody to use it; ctrl-C leaves it open]\n")
        for await event in events {
            guard case .inviteUsed(open.id, let id) = event else { continue }
            let conversation = try await profile.conversation(id)
            if options.json {
                JSONLine.print(
                    Used(invite: open.id.rawValue, usedBy: conversation.name, conversation: conversation.id.rawValue))
            } else {
                StandardStream.error.write(
                    "[\(SafeText.name(conversation.name)) used it: kith chat \(SafeText.name(conversation.name))]\n"
                )
            }
            return
        }
        throw KithError.closed
    }

    private func printOpen() async throws {
        let invites = try await options.withOpenForReading { await $0.openInvites() }
        if options.json {
            for invite in invites { JSONLine.print(InviteReport(invite)) }
        } else if invites.isEmpty {
            StandardStream.error.write("[no invites are open]\n")
        } else {
            let rows = invites.map { open in
                [
                    "\(open.id.rawValue)", open.isReusable ? "for many" : "for one",
                    "until \(Timestamp(seconds: open.invite.expiresAt).local)", "\(open.invite.inbox.relay.address)",
                    open.invite.line,
                ]
            }
            for line in Columns.lines(rows) { StandardStream.output.write(line + "\n") }
        }
    }

    private func close(_ id: InboxID, in profile: Profile) async throws {
        let hint =
            "Invite \(id.rawValue) is closed on this device, which accepts nobody by it any more. The relay closes it when the "
            + "profile is open and the relay is reached; until then, people who use it get no answer."
        do {
            try await relayTimeout.wait(for: profile, hint: hint) { try await profile.revoke(id) }
        } catch KithError.notFound {
            throw Failure(message: "there is no open invite \(id.rawValue) (kith invite --list)")
        }
        if !options.json { StandardStream.error.write("[invite \(id.rawValue) is closed]\n") }
    }

    private struct Used: Encodable {
        let invite: UInt64
        let usedBy: String
        let conversation: UInt64
    }
}
