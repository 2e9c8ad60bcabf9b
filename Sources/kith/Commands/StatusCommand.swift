import ArgumentParser
import Foundation
import KithClient

/// `kith status`: shows the state of the profile.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show your profile: name, key, relays, queued messages, and the process that has it open.",
        discussion: """
            Reads this device only. With --check, it also connects to each relay.

            EXAMPLES
              kith status
              kith status --check
              kith status --json | jq .queued

            JSON
              One object: profile, folder, name, device, fingerprint, openIn (the process
              that has it open), conversations, unread, queued (messages that wait to be
              sent), invitations (those that wait), invites, contacts, relays (address,
              pin, conversations, inboxes, and with --check: reachable,
              clockAheadMs (how far this device's clock is ahead of the relay's), problem).

            EXIT CODES
              0  shown    1  no profile, or it can't be read    64  wrong usage
              4  with --check: a relay does not answer
            """)

    @OptionGroup var options: ProfileOptions

    @Flag(name: .long, help: "Check that the relays answer.")
    var check = false

    func run() async throws {
        try await reportingFailure {
            var report = try await options.withOpenForReading { try await Report(options, $0) }
            if check {
                for index in report.relays.indices { await report.relays[index].ask() }
            }
            if options.json {
                JSONLine.print(report)
            } else {
                for line in Columns.lines(rows(report)) { StandardStream.output.write(line + "\n") }
            }
            if report.relays.contains(where: { $0.reachable == false }) { throw ExitCode.notInTime }
        }
    }

    private func rows(_ report: Report) -> [[String]] {
        var rows = [
            ["you", "\(SafeText.name(report.name)), on \(SafeText.name(report.device))"],
            ["key", report.fingerprint],
            ["profile", report.folder],
            ["open in", report.openIn.map { $0 == 0 ? "another process" : "process \($0)" } ?? "no process"],
            ["conversations", "\(report.conversations), \(counted(report.unread, "unread message"))"],
            ["contacts", "\(report.contacts)"],
            ["to be sent", report.waiting.isEmpty ? "nothing" : report.waiting.joined(separator: ", ")],
            ["open invites", "\(report.invites)"],
        ]
        for relay in report.relays {
            var text =
                "\(relay.address): \(counted(relay.conversations, "conversation")), \(counted(relay.inboxes, "inbox", "inboxes"))"
            if let reachable = relay.reachable { text += reachable ? "; answers" : "; \(relay.problem ?? "no answer")" }
            if let difference = relay.clockDifference { text += "; \(difference.sentence)" }
            rows.append(["relay", text])
        }
        if report.relays.isEmpty { rows.append(["relays", "none yet"]) }
        return rows
    }

    private struct Report: Encodable {
        let profile: String
        let folder: String
        let name: String
        let device: String
        let fingerprint: String
        let openIn: Int32?
        let conversations: Int
        let unread: Int
        let queued: Int
        let invitations: Int
        let invites: Int
        let contacts: Int
        var relays: [Relay]

        /// The number of queued messages and the number of queued invitations, each as a text such as `2 messages`. A number of 0
        /// is left out.
        var waiting: [String] {
            [(queued, "message"), (invitations, "invitation")].filter { $0.0 > 0 }.map { counted($0.0, $0.1) }
        }

        init(_ options: ProfileOptions, _ profile: Profile) async throws {
            let identity = await profile.identity()
            self.profile = options.name
            folder = options.folder.path
            name = identity.name
            device = identity.deviceName
            fingerprint = identity.accountKey.fingerprint.description
            openIn = try Profile.holder(of: options.folder)
            let all = try await profile.conversations()
            conversations = all.count
            unread = all.reduce(0) { $0 + $1.unread }
            queued = await profile.queuedMessages()
            invitations = await profile.waitingInvitations()
            invites = await profile.openInvites().count
            contacts = await profile.contacts().count
            relays = await profile.relays().map(Relay.init)
        }
    }

    private struct Relay: Encodable {
        private let point: RelayPoint
        let conversations: Int
        let inboxes: Int
        var reachable: Bool?
        var clockAheadMs: Int64?
        var problem: String?

        /// The difference between this device's clock and the relay's clock; `nil` if the difference is too small to matter.
        var clockDifference: ClockDifference? {
            guard let clockAheadMs, clockAheadMs.magnitude >= ClientLimits.clockTellMs else { return nil }
            return ClockDifference(witness: .relay(point.address), aheadMs: clockAheadMs)
        }

        var address: String { point.address.description }

        init(_ use: RelayUse) { (point, conversations, inboxes) = (use.relay, use.conversations, use.inboxes) }

        /// Connects to the relay with the profile's pin and pass, and stores the answer.
        mutating func ask() async {
            do throws(RelayConnectionError) {
                let connection = try await RelayConnection.connect(
                    to: point.address, trust: .pinned(point.pin), pass: point.pass)
                clockAheadMs = connection.welcome.clockLeadMs
                await connection.close()
                reachable = true
            } catch {
                reachable = false
                problem = error.description
            }
        }

        private enum Field: CodingKey { case address, pin, conversations, inboxes, reachable, clockAheadMs, problem }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Field.self)
            try container.encode(address, forKey: .address)
            try container.encode(point.pin.description, forKey: .pin)
            try container.encode(conversations, forKey: .conversations)
            try container.encode(inboxes, forKey: .inboxes)
            try container.encodeIfPresent(reachable, forKey: .reachable)
            try container.encodeIfPresent(clockAheadMs, forKey: .clockAheadMs)
            try container.encodeIfPresent(problem, forKey: .problem)
        }
    }
}
