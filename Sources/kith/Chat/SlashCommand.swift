import KithClient

/// A command in a chat: a line that begins with a slash.
enum SlashCommand: Hashable, Sendable {
    case help
    case verify(name: String?)
    case members
    case add(names: String)
    case remove(name: String)
    case rename(title: String)
    case leave
    case invite
    case history(count: Int?)
    case search(words: String)
    /// Sends files. The value is what the user typed after the command.
    case file(paths: String)
    case files
    case get(FileNumber)
    case reply(number: MessageNumber?, text: String)
    /// Changes a message that is already in the log. Without a number, changes the last message for which the change is possible.
    case change(number: MessageNumber?, RequestedChange)
    case pins
    /// New messages of all members disappear after this many seconds; `nil` for never.
    case timer(seconds: UInt32?)
    /// Each device deletes the user's later messages this many seconds after their arrival on that device; `nil` for
    /// never.
    case expire(seconds: UInt32?)
    case info
    case explain(number: MessageNumber?)
    case here
    case accept(name: String?)
    case keep(name: String?)
    case block(name: String?)
    case unblock(name: String?)
    case continueDespiteWarning
    case quit

    /// A parsed line of input.
    enum ParsedLine: Hashable, Sendable {
        case nothing
        case text(String)
        case command(SlashCommand)
        /// The line is neither a text nor a command. The sentence describes the mistake.
        case mistake(Sentence)
    }

    /// Maximum number of messages that one command may request.
    static let mostHistory = 1_000

    /// Parses a line.
    static func parse(_ line: String) -> ParsedLine {
        guard !TextRules.isBlank(line) else { return .nothing }
        guard line.hasPrefix("/") else { return .text(line) }
        // A line that begins with two slashes is a text that begins with one.
        guard !line.hasPrefix("//") else { return .text(String(line.dropFirst())) }
        let words = line.dropFirst().split(maxSplits: 1, omittingEmptySubsequences: true) { $0.isWhitespace }
        let verb = words.first.map(String.init) ?? ""
        return command(verb, trimmed(words.dropFirst().first ?? ""))
    }

    /// Whether a line that begins with these characters is a text for the members, and not a command.
    static func isText(_ beginning: ArraySlice<Character>) -> Bool {
        beginning.first != "/" || beginning.dropFirst().first == "/"
    }

    private static func command(_ verb: String, _ rest: String) -> ParsedLine {
        let name = rest.isEmpty ? nil : rest
        switch verb {
        case "help", "?": return .command(.help)
        case "verify": return .command(.verify(name: name))
        case "members": return .command(.members)
        case "add": return needed(rest, "/add NAME") { .add(names: $0) }
        case "remove": return needed(rest, "/remove NAME") { .remove(name: $0) }
        case "rename": return needed(rest, "/rename NEW NAME") { .rename(title: $0) }
        case "leave": return .command(.leave)
        case "invite": return .command(.invite)
        case "history": return history(rest)
        case "search": return needed(rest, "/search WORDS") { .search(words: $0) }
        case "file":
            return needed(rest, "/file PATH (Tab completes; in quotes if there are several)") { .file(paths: $0) }
        case "files": return .command(.files)
        case "get":
            guard let number = FileNumber(argument: rest) else {
                return .mistake(
                    "usage: /get NUMBER, /get NUMBER.2 for the second file of a message, or /get -1 for the newest files"
                )
            }
            return .command(.get(number))
        case "reply": return reply(rest)
        case "react": return react(rest)
        case "unreact": return numbered(rest, "/unreact [NUMBER]") { .change(number: $0, .reaction(nil)) }
        case "edit": return edit(rest)
        case "delete": return numbered(rest, "/delete [NUMBER]") { .change(number: $0, .deletion) }
        case "pin": return numbered(rest, "/pin [NUMBER]") { .change(number: $0, .pin(true)) }
        case "unpin": return numbered(rest, "/unpin [NUMBER]") { .change(number: $0, .pin(false)) }
        case "pins": return .command(.pins)
        case "timer": return duration(rest, "/timer") { .timer(seconds: $0) }
        case "expire": return duration(rest, "/expire") { .expire(seconds: $0) }
        case "info": return .command(.info)
        case "explain": return numbered(rest, "/explain [NUMBER]") { .explain(number: $0) }
        case "here": return .command(.here)
        case "accept": return .command(.accept(name: name))
        case "keep": return .command(.keep(name: name))
        case "block": return .command(.block(name: name))
        case "unblock": return .command(.unblock(name: name))
        case "continue": return .command(.continueDespiteWarning)
        case "quit", "exit": return .command(.quit)
        default:
            return .mistake(
                "there is no command /\(own: verb); /help lists the commands. Type // to send a text that begins with /"
            )
        }
    }

    private static func needed(_ rest: String, _ usage: Sentence, _ make: (String) -> SlashCommand) -> ParsedLine {
        rest.isEmpty ? .mistake("usage: \(usage)") : .command(make(rest))
    }

    private static func history(_ rest: String) -> ParsedLine {
        if rest.isEmpty { return .command(.history(count: nil)) }
        guard let count = Int(rest), (1...mostHistory).contains(count) else {
            return .mistake("usage: /history, or /history N with N from 1 to \(mostHistory)")
        }
        return .command(.history(count: count))
    }

    /// Parses the argument of `/reply`: `TEXT`, or `12 TEXT` to answer the message with the number 12.
    private static func reply(_ rest: String) -> ParsedLine {
        let (number, text) = numbered(rest)
        return needed(text, "/reply TEXT, or /reply NUMBER TEXT (/history shows the numbers)") {
            .reply(number: number, text: $0)
        }
    }

    /// Parses the argument of `/edit`: `TEXT`, or `12 TEXT` to edit the message with the number 12.
    private static func edit(_ rest: String) -> ParsedLine {
        let (number, text) = numbered(rest)
        return needed(text, "/edit TEXT for your last message, or /edit NUMBER TEXT") {
            .change(number: number, .edit($0))
        }
    }

    private static func react(_ rest: String) -> ParsedLine {
        let (number, text) = numbered(rest)
        // A number alone is a mistake, and not a reaction.
        return needed(
            MessageNumber(text) == nil ? text : "", "/react EMOJI for the last message, or /react NUMBER EMOJI"
        ) {
            .change(number: number, .reaction($0))
        }
    }

    /// Splits `12 TEXT` into the number and the text. If the argument has no number, or only a number, the whole argument is the
    /// text.
    private static func numbered(_ rest: String) -> (number: MessageNumber?, text: String) {
        let words = rest.split(maxSplits: 1) { $0.isWhitespace }
        guard words.count == 2, let number = MessageNumber(words[0]) else { return (nil, rest) }
        return (number, trimmed(words[1]))
    }

    /// Parses an argument that is a message's number or empty.
    private static func numbered(
        _ rest: String, _ usage: Sentence, _ make: (MessageNumber?) -> SlashCommand
    ) -> ParsedLine {
        if rest.isEmpty { return .command(make(nil)) }
        guard let number = MessageNumber(rest) else {
            return .mistake("usage: \(usage) (/history shows the numbers; -1 is the newest message)")
        }
        return .command(make(number))
    }

    /// Parses the argument of `/expire` and `/timer`: `off`, `never`, or a duration such as `10m`. Units are `s`, `m`, `h` and
    /// `d`. A duration is at most a year.
    private static func duration(
        _ rest: String, _ verb: Sentence, _ make: (UInt32?) -> SlashCommand
    ) -> ParsedLine {
        if rest == "off" || rest == "never" { return .command(make(nil)) }
        let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = rest.last.flatMap({ units[$0] }), let count = UInt64(rest.dropLast()),
            case let (seconds, overflow) = count.multipliedReportingOverflow(by: unit), !overflow,
            (1...31_536_000).contains(seconds)
        else { return .mistake("usage: \(verb) 30s, 10m, 24h or 7d, up to a year, or \(verb) off") }
        return .command(make(UInt32(seconds)))
    }

    /// Splits a list of names at commas and spaces. If a name contains a comma or space, the user writes the name in quotes. The
    /// quotes stay in the result.
    static func names(_ list: String) -> [String] {
        let closing: [Character: Character] = ["\"": "\"", "“": "”"]
        var names: [String] = []
        var (name, end) = ("", Character?.none)
        for character in list {
            if let quote = end {
                name.append(character)
                if character == quote { end = nil }
            } else if character == "," || character.isWhitespace {
                if !name.isEmpty { names.append(name) }
                name = ""
            } else {
                if name.isEmpty { end = closing[character] }
                name.append(character)
            }
        }
        return name.isEmpty ? names : names + [name]
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text.drop { $0.isWhitespace }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }

    /// The lines of `/help`.
    static let helpLines: [Sentence] = [
        "/history [N]          earlier messages, with their numbers (also page-up)",
        "/search WORDS         with all words; also from:bob after:2026-11-30 has:file",
        "/reply [NUMBER] TEXT  answer the last message, or the one with that number",
        "/file PATH            send a file (Tab completes the path)",
        "/files, /get NUMBER   the files here; save one in the folder in which you began",
        "/react [NUMBER] 👍     react to a message; /unreact [NUMBER]",
        "/edit [NUMBER] TEXT   replace a text of yours; /delete [NUMBER], for all",
        "/pin [NUMBER], /unpin [NUMBER], /pins    pin messages for all; list them",
        "/timer 1d             all new messages disappear after a time; /timer off",
        "/expire 10m           delete your later messages that long after arrival; or off",
        "/explain [NUMBER]     the whole story of a message",
        "/verify [NAME]        compare safety numbers with a contact",
        "/here                 ask who is online now, with proof",
        "/members, /info       the members; the state of the conversation",
        "/add NAME, /remove NAME, /rename NAME    change a group",
        "/invite               make an invite for a new person",
        "/accept NAME, /keep NAME                 decide about a changed key",
        "/block NAME, /unblock NAME               drop what a person sends, or stop that",
        "/continue             send again although the relay showed different logs",
        "/leave                leave the conversation for good",
        "/quit                 end the program; the conversation stays (also ctrl-D)",
        "//text                send a text that begins with a slash",
        "A paste of several lines is one message: Enter sends it, ctrl-C drops it.",
        "Alt-Enter begins a new line. `code` stands between backticks, several lines in ```.",
        "✓ on the relay  ✓✓ read  ✓✓ 2 read by two members, whom /explain names",
        "Messages that wait for the relay stand above the input line until they are sent.",
    ]
}
