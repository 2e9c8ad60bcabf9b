import ArgumentParser
import Foundation
import KithClient
import KithWire

/// `kith host`: runs a relay inside the client and creates an invite to it.
struct HostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host",
        abstract: "Run a relay yourself: print an invite, and talk to the person who joins.",
        discussion: """
            Connects two people without anybody between them: you type kith host and pass the line on, and the other \
            person types kith join LINE. The other person's machine must be able to reach yours. In the same network it \
            can; elsewhere, forward the port and give your public address with --address.

            The relay runs as long as this command. When it runs again, it has the same port and key, and your \
            conversations continue. Makes your profile first if there is none. Only people with your invite can use the \
            relay, because the invite carries its pass.

            EXAMPLES
              kith host                                  prints an invite, and waits
              kith host                                  later: the latest conversation
              kith host --new                            later: waits for a new person
              kith host --address chat.example.org:7443  the address for others
              kith host --listen 0.0.0.0:9000            on this port
              kith host --yes --no-chat                  no chat; prints who joins

            JSON
              With --json the chat does not open. One object a line: {"event": "hosting",
              relay, pin, invite}, {"event": "joined", conversation, name}. The first also
              has clockAheadSeconds while the relay doubts this machine's clock.

            EXIT CODES
              0    left, or ended with ctrl-C    1  error
              5    another process has the profile open    64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var setup: ProfileSetup

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The address to listen on. Default: all addresses, on a fixed port.", valueName: "host:port"),
        transform: ListenAddress.read)
    var listen: ListenAddress?

    @Option(
        name: .long,
        help: ArgumentHelp("The address of this machine for others. Default: a guess.", valueName: "host[:port]"),
        transform: HostAddress.read)
    var address: HostAddress?

    @Option(name: .long, help: "Your name, if a profile has to be made.")
    var myName: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Lifetime of a new invite, counted from now (12h, 7d, ...).", valueName: "time"),
        transform: DurationArgument.read)
    var expires = DurationArgument(seconds: 7 * 86_400)

    @Flag(name: .long, help: "Wait for a new person, even if there are conversations here.")
    var new = false

    @Flag(name: .long, help: "Do not open the chat; serve until ctrl-C.")
    var noChat = false

    @Flag(name: .long, help: "Trust a clock that is far ahead of the relay's last run at once, not only after a day.")
    var trustClock = false

    func validate() throws {
        if let myName { try ProfileSetup.check("--my-name", myName) }
        if expires.seconds == 0 { throw ValidationError("--expires must be longer than zero.") }
    }

    func run() async throws {
        try await reportingFailure {
            raiseFileLimit()
            let profile = try await setup.openOrCreate(options, name: myName)
            try await ProfileOptions.closing(profile) { profile in
                let relay = try await HostedRelay.start(
                    in: options.folder, listen: listen, address: address, known: profile.relays().map(\.relay),
                    trustsClock: trustClock)
                do {
                    await profile.reach(relay.point.pin, at: relay.nearby)
                    try await host(relay, profile)
                } catch {
                    await relay.stop()
                    throw error
                }
                await profile.close()
                await relay.stop()
            }
        }
    }

    private var opensChat: Bool { !noChat && !options.json && ChatLauncher.isThere }

    private func host(_ relay: HostedRelay, _ profile: Profile) async throws {
        let signals = StopSignals()
        let events = await profile.events()
        let open = try await invite(at: relay, profile)
        announce(open, relay)
        // The machine may have had another address when the conversation began, so the relay is identified by its key.
        let addresses = await profile.relays().map(\.relay).filter { $0.pin == relay.point.pin }.map(\.address)
        let here = try await profile.conversations().filter { $0.isUsable && addresses.contains($0.relay) }
        if opensChat, !new, let latest = here.first {
            let name = SafeText.name(latest.name)
            StandardStream.error.write("[continuing with \(name); kith host --new waits for a new person]\n")
            return try await ChatLauncher.open(latest.id, of: profile, options)
        }
        guard let joined = try await wait(for: open, profile, events, signals) else { return }
        try await ChatLauncher.open(joined, of: profile, options)
    }

    /// Returns an open invite to the relay: the last one that is for one person and stays valid for more than an hour. If no open
    /// invite fits, creates an invite.
    private func invite(at relay: HostedRelay, _ profile: Profile) async throws -> OpenInvite {
        let soon = UInt64(max(0, Date().timeIntervalSince1970)) + 3_600
        let usable = await profile.openInvites().last { open in
            !open.isReusable && open.invite.inbox.relay == relay.point && open.invite.expiresAt > soon
        }
        if let usable { return usable }
        return try await profile.createInvite(at: relay.point, lifetime: expires.duration)
    }

    private func announce(_ open: OpenInvite, _ relay: HostedRelay) {
        let line = open.invite.line
        if options.json {
            let ahead = relay.clockAheadSeconds > 0 ? JSONValue.number(Int64(relay.clockAheadSeconds)) : nil
            JSONLine.print(
                JSONEvent(
                    "hosting",
                    [
                        "relay": .text("\(relay.point.address)"), "pin": .text("\(relay.point.pin)"),
                        "invite": .text(line), "clockAheadSeconds": ahead,
                    ]))
            return
        }
        if StandardStream.error.isTerminal, let code = QRCode(line) {
            // The address, the wrapped line of the invite, and the line about waiting stand below the code.
            QRCodeText.print(code, otherLines: 8, remedy: "enlarge it and run kith host again")
        }
        StandardStream.error.write("[your relay is at \(relay.point.address). The other person types:]\n")
        StandardStream.output.write("kith join \(line)\n")
        if relay.isOpen {
            StandardStream.error.write(
                "[this relay has no pass, because an older version made it: anybody who reaches it can use it]\n")
        }
        if relay.clockAheadSeconds > 0 {
            StandardStream.error.write(
                "[this machine's clock is \(relay.clockAheadSeconds / 3_600) hours ahead of the relay's last run; the relay "
                    + "deletes nothing by it for a day. If the clock is right, use --trust-clock]\n"
            )
        }
        if relay.point.address.host == "127.0.0.1" {
            StandardStream.error.write("[this address works on this machine only; give another with --address]\n")
        }
    }

    /// Waits until another person has joined. If this command does not open a chat, reports each new person and continues to
    /// wait.
    ///
    /// - Returns: the conversation to chat in; `nil` after ctrl-C.
    private func wait(
        for open: OpenInvite, _ profile: Profile, _ events: AsyncStream<KithEvent>, _ signals: StopSignals
    ) async throws -> ConversationID? {
        if !options.json { StandardStream.error.write("[waiting for somebody to join; ctrl-C ends it]\n") }
        return try await withThrowingTaskGroup(of: ConversationID?.self) { group in
            group.addTask {
                await signals.wait()
                return nil
            }
            group.addTask {
                for await event in events {
                    guard case .inviteUsed(_, let id) = event else { continue }
                    try await report(id, profile)
                    if opensChat { return id }
                }
                throw KithError.closed
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func report(_ id: ConversationID, _ profile: Profile) async throws {
        let conversation = try await profile.conversation(id)
        if options.json {
            JSONLine.print(
                JSONEvent("joined", ["conversation": .unsigned(id.rawValue), "name": .text(conversation.name)]))
        } else {
            StandardStream.error.write("[\(SafeText.name(conversation.name)) joined]\n")
        }
    }
}
