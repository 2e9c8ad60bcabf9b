import ArgumentParser
import KithClient

/// `kith timer`: sets the time after which a conversation's new messages disappear.
struct TimerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timer",
        abstract: "Set the time after which new messages of a conversation disappear.",
        discussion: """
            The timer applies to messages of all members from then on, and all members see it. Each device \
            deletes a message that long after it arrived there. Earlier messages stay as they are.

            EXAMPLES
              kith timer bob 1d
              kith timer "book club" off
              kith timer bob                   shows the timer

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    @Argument(help: ArgumentHelp("30s, 10m, 12h or 7d; off for never.", valueName: "time"))
    var time: String?

    func validate() throws { _ = try timer() }

    /// The timer in seconds; `nil` for never.
    private func timer() throws -> UInt32? {
        guard let time, time != "off" else { return nil }
        guard let duration = DurationArgument(argument: time), duration.seconds > 0,
            let seconds = UInt32(exactly: duration.seconds)
        else { throw ValidationError("The time has the form 30s, 10m, 12h or 7d, or is off.") }
        return seconds
    }

    func run() async throws {
        try await reportingFailure {
            guard time != nil else {
                return try await options.withOpenForReading { profile in
                    report(try await NamedTarget.conversation(name, in: profile))
                }
            }
            let seconds = try timer()
            try await options.withOpen { profile in
                let events = await profile.events()
                let conversation = try await NamedTarget.conversation(name, in: profile)
                guard conversation.timerSeconds != seconds else { return report(conversation) }
                let now = try await relayTimeout.wait(for: profile, at: conversation.relay, hint: GroupCommand.later) {
                    try await profile.setTimer(seconds.map { .seconds(Int64($0)) }, in: conversation.id)
                    for await event in events {
                        guard case .conversation(let now) = event, now.id == conversation.id else { continue }
                        if now.timerSeconds == seconds { return now }
                        if let obstacle = now.obstacle { throw obstacle }
                    }
                    throw KithError.closed
                }
                report(now)
            }
        }
    }

    private func report(_ conversation: ConversationSummary) {
        if options.json { return _ = JSONLine.print(ConversationReport(conversation)) }
        if let seconds = conversation.timerSeconds {
            StandardStream.error.say(
                "new messages in \(name: conversation.name) disappear after \(duration: seconds)")
        } else {
            StandardStream.error.say("new messages in \(name: conversation.name) stay")
        }
    }
}
