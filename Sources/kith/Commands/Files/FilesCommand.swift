import ArgumentParser
import Foundation
import KithClient
import KithWire

/// `kith files`: lists the files of conversations.
struct FilesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "files",
        abstract: "List the files that you got and sent, and set which ones are downloaded at once.",
        discussion: """
            Reads this device only, and asks no relay. Each line begins with the number that kith get takes. Small files \
            are downloaded as soon as Kith runs, if you have compared safety numbers with the sender or have used the \
            sender's invite; --auto-download sets up to which size. A sender gets 64 files and 64 MiB a day. All other \
            files are downloaded only by kith get.

            EXAMPLES
              kith files                          of all conversations
              kith files bob
              kith files --auto-download 20MiB    download larger ones at once, too
              kith files --auto-download off      download no file without kith get

            JSON
              One object a line: conversation, conversationName, id, seq, number (of the
              file in its message), name, type, size, author (me, contact), from, state
              (onDevice, downloading, atRelay), sentAt, and while the file is on its way:
              upload, done, total (bytes of the encrypted file); of a picture: width,
              height, preview (a JPEG or WebP file from the sender, in Base64).
              With --auto-download: autoDownload (bytes; 0 for off).

            EXIT CODES
              0  listed, or set    1  error    5  another process has the profile open
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The contact or the group; '#3' is conversation number 3. Without it, all.")
    var name: String?

    @Option(name: .long, help: ArgumentHelp("Maximum number of messages of each conversation."))
    var limit = 100

    @Option(
        name: .long,
        help: ArgumentHelp("Download files up to this size at once (5MiB, off).", valueName: "size"))
    var autoDownload: SizeArgument?

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit takes 1 or more.") }
        if autoDownload != nil, name != nil {
            throw ValidationError("--auto-download is for all conversations; leave out the name.")
        }
    }

    func run() async throws {
        try await reportingFailure {
            if let autoDownload { return try await set(autoDownload.bytes) }
            try await options.withOpenForReading { profile in
                var conversations = try await profile.conversations()
                if let name { conversations = [try await NamedTarget.conversation(name, in: profile)] }
                var rows: [[String]] = []
                for conversation in conversations {
                    rows += try await list(conversation, of: profile, names: name == nil)
                }
                if options.json { return }
                guard !rows.isEmpty else {
                    return StandardStream.error.say("there are no files here")
                }
                for line in Columns.lines(rows) { StandardStream.output.write(line + "\n") }
            }
        }
    }

    private func set(_ bytes: UInt64) async throws {
        try await options.withOpen { profile in
            try await profile.files.setAutoDownload(upTo: bytes)
            if options.json { return _ = JSONLine.print(Setting(autoDownload: bytes)) }
            StandardStream.error.write(
                bytes == 0
                    ? "[no file is downloaded without kith get]\n"
                    : "[files up to \(ByteCount.text(bytes)) are downloaded at once, from contacts whose key you trust]\n"
            )
        }
    }

    /// Prints the files of a conversation as JSON, or returns them as rows of a table.
    ///
    /// - Parameter names: whether each row begins with the conversation's name.
    private func list(
        _ conversation: ConversationSummary, of profile: Profile, names: Bool
    ) async throws -> [[String]] {
        var rows: [[String]] = []
        let moving = await profile.files.progress().filter { $0.conversation == conversation.id }
        for upload in moving where upload.isUpload {
            if options.json {
                JSONLine.print(ListedFileReport(upload, in: conversation))
            } else {
                let state = "sending, \(TransferDisplay.line([upload], rate: 0))"
                rows.append(
                    row(conversation, names, ["-", "you", upload.file.name, ByteCount.text(upload.file.size), state]))
            }
        }
        for listed in try await profile.files.list(in: conversation.id, limit: limit) {
            let progress = moving.first { !$0.isUpload && $0.message == listed.message.id && $0.file == listed.file }
            if options.json {
                var report = ListedFileReport(listed, progress, in: conversation)
                if listed.file.hasPreview, let seq = listed.message.seq {
                    let preview = try await profile.files.preview(listed.file.number, of: seq, in: conversation.id)
                    report.preview = preview.map { Data($0.bytes).base64EncodedString() }
                }
                JSONLine.print(report)
            } else {
                let reference = listed.file.reference(
                    in: listed.message.seq ?? 0, of: listed.message.files?.files.count ?? 1)
                rows.append(
                    row(
                        conversation, names,
                        [
                            reference, listed.message.author.shortName, ForeignText(listed.file.name).description,
                            ByteCount.text(listed.file.size), listed.state.words,
                        ]))
            }
        }
        return rows
    }

    private func row(_ conversation: ConversationSummary, _ names: Bool, _ cells: [String]) -> [String] {
        names ? [SafeText.name(conversation.name)] + cells : cells
    }

    private struct Setting: Encodable { let autoDownload: UInt64 }
}

extension Message.Author {
    /// The author's name in a list.
    var shortName: String {
        switch self {
        case .me: "you"
        case .contact(_, let name, _): SafeText.name(name)
        case .kith: "Kith"
        }
    }
}

extension FileState {
    var words: String {
        switch self {
        case .onDevice: "on this device"
        case .downloading: "being downloaded"
        case .atRelay: "at the relay"
        }
    }

    /// The state as one word for programs.
    var word: String {
        switch self {
        case .onDevice: "onDevice"
        case .downloading: "downloading"
        case .atRelay: "atRelay"
        }
    }
}

/// A file in the list.
private struct ListedFileReport: Encodable {
    let conversation: UInt64
    let conversationName: String
    let id: String
    let seq: UInt64?
    let number: Int
    let name: String
    let type: String?
    let size: UInt64
    let author: String
    let from: String?
    let state: String?
    let sentAt: String?
    let upload: Bool?
    let done: UInt64?
    let total: UInt64?
    let width: UInt32?
    let height: UInt32?
    var preview: String?

    init(_ listed: ListedFile, _ progress: FileProgress?, in conversation: ConversationSummary) {
        let message = MessageReport(listed.message, in: conversation.name)
        self.conversation = message.conversation
        conversationName = message.conversationName
        (id, seq, author, from, sentAt) = (message.id, message.seq, message.author, message.name, message.sentAt)
        let file = FileReport(listed.file)
        (number, name, type, size) = (file.number, file.name, file.type, file.size)
        (width, height) = (file.width, file.height)
        state = listed.state.word
        upload = progress.map { _ in false }
        (done, total) = (progress?.done, progress?.total)
    }

    init(_ progress: FileProgress, in conversation: ConversationSummary) {
        self.conversation = conversation.id.rawValue
        conversationName = conversation.name
        (id, seq, author, from, sentAt, state) = (progress.message.hex, nil, "me", nil, nil, nil)
        let file = FileReport(progress.file)
        (number, name, type, size) = (file.number, file.name, file.type, file.size)
        (width, height) = (file.width, file.height)
        upload = true
        (done, total) = (progress.done, progress.total)
    }
}
