import ArgumentParser
import Foundation
import KithClient

/// `kith listen`: prints new messages, for scripts and bots.
struct ListenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Print each unread and each new message once, for scripts and bots.",
        discussion: """
            Receives for as long as it runs, and sends queued messages. A message counts as read once it is written. If \
            the command is killed, no message is lost, but those of the last 0.2 seconds may be printed again. Messages \
            that the reader of a pipe had not taken when it ended are in kith history.

            People who use your name or a reusable invite wait until you accept them: with kith chat or kith send, or all \
            of them with --accept.

            With --json, lines of standard input are commands:
              {"send": {"to": "bob", "text": "hi"}, "ref": 1}
              {"send": {"to": "#3", "text": "yes", "replyTo": "MESSAGE ID", "expires": "1d"}}
            Each is answered with an event "sent" or "error" that has the same ref. Later events "delivery" report the \
            message's progress. A ref is a whole number or a text. A line has at most \(LineReader.longest >> 10) KiB.

            EXAMPLES
              kith listen
              kith listen --conversation bob --once --timeout 1m  a message, or exit 4
              kith listen --timeout 5s                            messages since last time
              kith listen --json --accept                         a bot for everybody
              kith listen --json | jq -r 'select(.text) | .text'
              mkfifo in; ./bot.py < events > in & kith listen --json < in > events

            JSON
              One object a line, with event: message (as kith history prints it; notices
              too), delivery (of what was sent: id, seq, delivery, readBy), sent (ref,
              id), error (ref, message), conversation, contact, relay (relay, state,
              reason), present (conversation, contact, name), inviteUsed (invite,
              conversation, name), warning (conversation, warning, and id for a message of
              yours that the relay does not take), invitationPassedOver (relay), clock
              (relay or name, aheadMs, warning), tooManyPending, nameLost (name, relay),
              file (id, state, file, reason: a file was received or not, or was not sent).
              Later versions may add others.

            EXIT CODES
              0  the time was over, or the output lost its reader
              1  error
              4  with --once: no message came in time
              5  another process has the profile open
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Option(name: .long, help: ArgumentHelp("Listen to this conversation only.", valueName: "name"))
    var conversation: String?

    @Flag(name: .long, help: "End after the first message.")
    var once = false

    @Option(
        name: .long, help: ArgumentHelp("End after this time. What was not printed stays unread.", valueName: "time"),
        transform: DurationArgument.read)
    var timeout: DurationArgument?

    @Flag(name: .long, help: "Send no read receipts.")
    var noReceipts = false

    @Flag(name: .long, help: "Accept every conversation that a stranger begins.")
    var accept = false

    func run() async throws {
        try await reportingFailure {
            signal(SIGPIPE, SIG_IGN)
            try await options.withOpen { profile in
                var place: ConversationID?
                if let conversation { place = try await NamedTarget.conversation(conversation, in: profile).id }
                let listener = Listener(
                    profile, format: options.json ? .json : .text,
                    options: Listener.Options(
                        only: place, endsAfterFirst: once, sendsReceipts: !noReceipts, acceptsStrangers: accept))
                switch try await listener.run(for: timeout?.duration) {
                case .timeIsOver where once:
                    throw Failure(
                        message: "no message came within \(timeout ?? DurationArgument(seconds: 0))", code: .notInTime)
                case .receivedOne, .timeIsOver, .outputIsClosed, .stopped: return
                case .closed: throw await profile.failure ?? KithError.closed
                }
            }
        }
    }
}
