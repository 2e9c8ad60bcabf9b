import KithClient

// Describes files to people and programs.

/// Formats sizes for people.
enum ByteCount {
    private static let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]

    /// Formats a number of bytes in the largest unit in which the value is at least 1, such as `1.2 MiB`.
    static func text(_ bytes: UInt64) -> String {
        guard bytes >= 1_024 else { return counted(Int(bytes), "byte") }
        var (value, index) = (bytes, 0)
        while value >= 1_024 * 1_024, index < units.count - 1 {
            value /= 1_024
            index += 1
        }
        let tenths = value * 10 / 1_024
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10) \(units[index])" : "\(tenths / 10) \(units[index])"
    }
}

extension MessageFile {
    /// The number with which a command chooses the file: the entry's number, followed by the file's number if the message has
    /// several files.
    ///
    /// - Parameter count: the number of files in the message.
    func reference(in seq: UInt64, of count: Int) -> String { count == 1 ? "\(seq)" : "\(seq).\(number)" }

    /// The size of a picture, with a comma before it; empty if the sender states none.
    fileprivate var pictureSize: Sentence {
        guard let dimensions else { return "" }
        return ", a picture of \(dimensions.width)×\(dimensions.height)"
    }
}

extension MessageRenderer {
    /// Returns the lines of a message with files: the caption, and one line for each file.
    func lines(of files: MessageFiles, _ message: Message, _ prefix: String) -> [ScreenLine] {
        let isLongText = files.files.contains(where: \.isLongText)
        var lines: [ScreenLine] = []
        if !files.caption.isEmpty {
            lines = self.lines(ofText: isLongText ? files.caption + "…" : files.caption, message, prefix)
        }
        let who = message.author == .me ? "you" : author(message)
        for file in files.files {
            let start = lines.isEmpty ? prefix + conversationPrefix : String(repeating: " ", count: prefix.count)
            let what: Sentence = file.isLongText ? "the whole text" : "\(quoted: file.name)\(file.pictureSize)"
            let command: Sentence = layout == .chat ? "/get" : "kith get"
            let hint: Sentence =
                message.seq.map { "; \(command) \(own: file.reference(in: $0, of: files.files.count))" } ?? ""
            let isOnlyEnd = files.caption.isEmpty && file.number == files.files.last?.number
            lines.append(
                ScreenLine(
                    .notice, "\(own: start)[\(own: who) sent \(what), \(own: ByteCount.text(file.size))\(hint)]",
                    end: isOnlyEnd ? end(of: message) : ScreenLine.End()))
        }
        return lines
    }
}

/// A file of a message.
struct FileReport: Encodable, Sendable {
    let number: Int
    let name: String
    let type: String?
    let size: UInt64
    let isLongText: Bool?
    let width: UInt32?
    let height: UInt32?

    init(_ file: MessageFile) {
        number = file.number
        name = file.name
        type = file.mediaType.isEmpty ? nil : file.mediaType
        size = file.size
        isLongText = file.isLongText ? true : nil
        (width, height) = (file.dimensions?.width, file.dimensions?.height)
    }
}

extension FileNotice {
    /// The event as one word for programs.
    var word: String {
        switch self {
        case .delayed: "delayed"
        case .restarted: "restarted"
        case .notSent: "notSent"
        case .leftOut: "leftOut"
        case .fetched: "received"
        case .notFetched: "notReceived"
        }
    }

    var fileName: String {
        switch self {
        case .delayed(let name, _), .restarted(let name), .notSent(let name, _), .leftOut(let name, _): name
        case .fetched(let file), .notFetched(let file, _): file.name
        }
    }

    var problem: FileProblem? {
        switch self {
        case .delayed, .restarted, .fetched: nil
        case .notSent(_, let problem), .leftOut(_, let problem), .notFetched(_, let problem): problem
        }
    }

    /// The event as a sentence.
    var sentence: Sentence {
        switch self {
        case .delayed(let name, let delay): "\(quoted: name) waits: \(delay.sentence)"
        case .restarted(let name): "\(quoted: name) has changed, so sending it starts anew"
        case .notSent(let name, let problem): "not sent: \(quoted: name): \(own: problem.sentence)"
        case .leftOut(let name, let problem):
            "not sent: \(quoted: name): \(own: problem.sentence). The rest of its message is sent"
        case .fetched(let file): "\(quoted: file.name) is on this device"
        case .notFetched(let file, let problem): "not received: \(quoted: file.name): \(own: problem.sentence)"
        }
    }
}

extension FileDelay {
    /// The reason, and the time of the next attempt, as a sentence.
    var sentence: Sentence {
        switch self {
        case .dayIsUsedUp(let retryMs):
            "your address has used up what this relay takes in a day; next attempt in \(duration: Self.rounded(retryMs))"
        case .relayIsFull(let retryMs):
            "this relay has no room for it now; next attempt in \(duration: Self.rounded(retryMs))"
        }
    }

    /// Returns a time in seconds, rounded up to whole minutes, and from two hours on to whole hours.
    private static func rounded(_ ms: UInt64) -> UInt32 {
        let unit: UInt64 = ms > 7_200_000 ? 3_600_000 : 60_000
        return UInt32(clamping: (ms / unit + (ms % unit == 0 ? 0 : 1)) * unit / 1_000)
    }
}
