import Foundation
import KithClient
import PrivateFiles

/// Reads all of standard input as one text.
enum StandardInput {
    /// Maximum length of a text in bytes. A longer input is probably a file and not a message.
    static let limit = 16 << 20

    /// The failure for input that is not text. No part of such input is sent.
    static let notText = Failure(message: "that is not text: it is not UTF-8; base64 makes text of anything")

    /// Returns the text, without the line breaks at its end.
    ///
    /// - Throws: ``Failure`` if the input is too long or is not text.
    static func text() throws -> String {
        if isatty(STDIN_FILENO) == 1 {
            StandardStream.error.write("[type the message; ctrl-D on an empty line sends it]\n")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw Failure(message: "standard input can't be read: \(SystemError(errno).sentence)")
            }
            if count == 0 { break }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                throw Failure(
                    message:
                        "standard input has more than \(limit >> 20) MiB; nothing was sent. Send it as a file: --file - --name NAME"
                )
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw notText }
        var rest = text[...]
        while rest.last?.isNewline == true { rest.removeLast() }
        return String(rest)
    }
}

extension TextRules.Problem {
    /// The failure to show to the user.
    var failure: Failure {
        switch self {
        case .blank: Failure(message: KithError.blankText.sentence)
        case .notText: Failure(message: "\(KithError.notText.sentence); nothing was sent")
        case .tooLong(let limit):
            Failure(
                message: "the text is longer than \(ByteCount.text(UInt64(limit))); nothing was sent"
                    + (limit == StandardInput.limit ? ". Send it as a file: --file" : ""))
        }
    }
}
