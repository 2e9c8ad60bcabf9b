import ArgumentParser
import Foundation
import KithClient
import KithWire

/// `kith get`: downloads files and saves them in a folder.
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Download files of a message, and save them in a folder.",
        discussion: """
            The file is downloaded into the profile first, encrypted, and every part is checked. An interrupted download \
            continues where it stopped. Then the file is saved under the sender's name, without anything that could harm: \
            an existing file is never replaced, and no file can be executed.

            EXAMPLES
              kith files bob                          shows the numbers
              kith get bob 12                         all files of entry 12
              kith get bob 12.2 --save-to ~/Pictures  only the second one
              kith get bob -1                         the newest ones
              kith get bob 12 --preview               small pictures, without a download

            JSON
              One object for each file: number, name, type, size, file (the saved one).

            EXIT CODES
              0  saved    1  error, or the relay no longer has the file
              4  no progress in time: the same command continues the download
              64  wrong usage    130  ctrl-C
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    @Argument(
        help: ArgumentHelp(
            "The entry's number, or 12.2 for its second file; -1 for the newest message with files.",
            valueName: "number"))
    var number: FileNumber

    @Option(name: .long, help: ArgumentHelp("The folder for the files.", valueName: "folder"))
    var saveTo = "."

    @Flag(name: .long, help: "Save the small pictures that the message has of its pictures, and not the files.")
    var preview = false

    /// Interval between two looks at a download of another process.
    private static let pollInterval = Duration.milliseconds(200)

    func run() async throws {
        try await reportingFailure {
            let folder = URL(fileURLWithPath: saveTo, isDirectory: true)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
                throw Failure(message: "there is no folder \(saveTo); make it first")
            }
            if preview { return try await options.withOpenForReading { try await savePreviews(of: $0, to: folder) } }
            // Files that are on this device already need neither the relay nor the profile's lock.
            let missing = try await options.withOpenForReading { profile in
                try await save(try await find(in: profile), of: profile, to: folder)
            }
            guard !missing.isEmpty else { return }
            do {
                try await options.withOpen { profile in
                    let conversation = try await NamedTarget.conversation(name, in: profile)
                    for file in missing { try await fetch(file, of: profile, in: conversation) }
                }
            } catch KithError.inUse {
                try await waitForOwner(missing)
            }
            try await options.withOpenForReading { profile in
                guard try await save(missing, of: profile, to: folder).isEmpty else {
                    throw KithError.files(.damaged)
                }
            }
        }
    }

    /// The wanted files, each with its message.
    private func find(in profile: Profile) async throws -> [ListedFile] {
        let conversation = try await NamedTarget.conversation(name, in: profile)
        let found = try await number.files(in: conversation.id, of: profile)
        guard !found.isEmpty else { throw Failure(message: "there is no file \(number) here (kith files)") }
        return found
    }

    /// Saves the previews of the wanted files. They came with the message, so the relay is not asked.
    private func savePreviews(of profile: Profile, to folder: URL) async throws {
        var isAny = false
        for file in try await find(in: profile) {
            guard let seq = file.message.seq,
                let url = try await profile.files.savePreview(
                    file.file.number, of: seq, in: file.message.conversation, to: folder)
            else { continue }
            isAny = true
            report(file, url)
        }
        if !isAny { throw Failure(message: "the message has no preview of file \(number); get the file itself") }
    }

    private func report(_ file: ListedFile, _ url: URL) {
        if options.json {
            JSONLine.print(Saved(FileReport(file.file), url))
        } else {
            StandardStream.output.write(SafeText.oneLine(url.relativePath) + "\n")
        }
    }

    /// Saves the files that are on this device. Returns the files that are not on this device.
    private func save(
        _ files: [ListedFile], of profile: Profile, to folder: URL
    ) async throws -> [ListedFile] {
        var missing: [ListedFile] = []
        for file in files {
            guard let seq = file.message.seq else { continue }
            guard
                let url = try await profile.files.save(
                    file.file.number, of: seq, in: file.message.conversation, to: folder)
            else {
                missing.append(file)
                continue
            }
            report(file, url)
        }
        return missing
    }

    private func fetch(
        _ file: ListedFile, of profile: Profile, in conversation: ConversationSummary
    ) async throws {
        guard let seq = file.message.seq else { return }
        let interruption = Interruption("the download continues with the same command, or whenever Kith runs")
        defer { interruption.end() }
        try await relayTimeout.wait(
            for: profile, in: conversation, hint: "The same command continues the download",
            counting: { await profile.files.progress().reduce(0) { $0 + $1.done } }
        ) {
            try await TransferDisplay(profile: profile, message: file.message.id).showing {
                try await profile.files.fetch(file.file.number, of: seq, in: conversation.id)
            }
        }
    }

    /// Lets the process that has opened the profile download the files, and waits for them.
    private func waitForOwner(_ files: [ListedFile]) async throws {
        let profile = try await options.openForReading()
        defer { Task { await profile.close() } }
        for file in files {
            guard let seq = file.message.seq else { continue }
            try await profile.files.request(file.file.number, of: seq, in: file.message.conversation)
        }
        var last: (pieces: UInt64, at: ContinuousClock.Instant) = (0, .now)
        while true {
            try await Task.sleep(for: Self.pollInterval)
            var (pieces, isWaiting) = (UInt64(0), false)
            for file in files {
                guard let seq = file.message.seq else { continue }
                let (state, count) = try await profile.files.requestedState(
                    file.file.number, of: seq, in: file.message.conversation)
                switch state {
                case .onDevice: continue
                case .downloading: (pieces, isWaiting) = (pieces + count, true)
                case .atRelay:
                    throw Failure(
                        message:
                            "\(ForeignText(file.file.name).quoted) was not downloaded; the process that has the profile "
                            + "open says why. Or end it, and run the same command again.")
                }
            }
            guard isWaiting else { return }
            guard try Profile.holder(of: options.folder) != nil else {
                throw Failure(
                    message: "the process that had the profile open has ended; run the same command again",
                    code: .notInTime)
            }
            if pieces != last.pieces { last = (pieces, .now) }
            guard relayTimeout.limit.seconds == 0 || .now - last.at < relayTimeout.limit.duration else {
                throw Failure(
                    message:
                        "no progress within \(relayTimeout.limit). The process that has the profile open continues the "
                        + "download.",
                    code: .notInTime)
            }
        }
    }

    private struct Saved: Encodable {
        let number: Int
        let name: String
        let type: String?
        let size: UInt64
        let file: String

        init(_ report: FileReport, _ url: URL) {
            (number, name, type, size) = (report.number, report.name, report.type, report.size)
            file = url.path
        }
    }
}

/// Says what happens to unfinished work when ctrl-C ends the process.
struct Interruption {
    private let watch: Task<Void, Never>

    /// - Parameter hint: the text that tells the user how to continue the work. It is printed if ctrl-C ends the process.
    init(_ hint: String) {
        let signals = StopSignals()
        watch = Task {
            await signals.wait()
            guard !Task.isCancelled else { return }
            // Everything that was done is on the disk, so the process may end at any moment.
            StandardStream.error.write("\r\u{1B}[K[\(hint)]\n")
            _exit(ExitCode.interrupted.rawValue)
        }
    }

    /// Gives the signals their normal effect back.
    func end() {
        watch.cancel()
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}
