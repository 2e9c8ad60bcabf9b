import Foundation
import KithClient
import KithWire

/// What a program that listens asks for, in a line of JSON.
struct ListenRequest: Decodable {
    private let send: Send?
    private let ref: Reference?

    private struct Send: Decodable {
        let to: String
        let text: String
        let replyTo: String?
        let expires: String?
    }

    /// What comes back in the answer: a number or a text.
    enum Reference: Codable, Sendable {
        case number(Int64)
        case text(String)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            // A reference of another kind can't be given back as it was.
            if let number = try? container.decode(Int64.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            }
        }
    }

    /// The answer.
    struct Answer: Encodable {
        let event: String
        var ref: Reference?
        var id: String?
        var conversation: UInt64?
        var message: String?
    }

    /// Does what a line asks for. Whatever is wrong with it, the answer has its ref if it has one.
    static func carryOut(_ line: LineReader.Line, with profile: Profile) async -> Answer {
        let data = Data(line.text.utf8)
        func refusal(_ message: String) -> Answer {
            let ref = (try? JSONDecoder().decode(Labelled.self, from: data))?.ref
            return Answer(event: "error", ref: ref, message: message)
        }
        guard line.isText else { return refusal("this line is not text: it is not UTF-8") }
        guard line.text.utf8.count < LineReader.longest else {
            return refusal("this line is too long: at most \(LineReader.longest - 1) bytes")
        }
        let request: ListenRequest
        do {
            request = try JSONDecoder().decode(ListenRequest.self, from: data)
        } catch {
            return refusal(problem(error))
        }
        guard let send = request.send else { return refusal("the only command is \"send\"") }
        do {
            let (id, conversation) = try await request.carryOut(send, with: profile)
            return Answer(event: "sent", ref: request.ref, id: id.hex, conversation: conversation.rawValue)
        } catch {
            return refusal(ErrorWords.sentence(for: error))
        }
    }

    /// A line's ref alone, whatever else is in it.
    private struct Labelled: Decodable {
        let ref: Reference?
    }

    /// The fault that keeps a line from being a command.
    private static func problem(_ error: any Error) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "\"\((context.codingPath + [key]).map(\.stringValue).joined(separator: "."))\" is missing"
        case DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty,
            DecodingError.valueNotFound(_, let context) where !context.codingPath.isEmpty,
            DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "\"\(path(context))\" is not what kith help listen says"
        default: return "this is not a command: it is not a JSON object (kith help listen)"
        }
    }

    private func carryOut(_ send: Send, with profile: Profile) async throws -> (EntryID, ConversationID) {
        var answered: EntryID?
        if let replyTo = send.replyTo {
            answered = EntryID(hex: replyTo)
            if answered == nil { throw Failure(message: "replyTo takes the id of a message") }
        }
        var expires: Duration?
        if let text = send.expires {
            expires = DurationArgument(argument: text).flatMap { UInt32(exactly: $0.seconds) }.map {
                .seconds(Int64($0))
            }
            if expires ?? .zero == .zero { throw Failure(message: "expires takes a time, such as 1d") }
        }
        let conversation: ConversationID
        switch try await NamedTarget.named(send.to, in: profile) {
        case .conversation(let summary): conversation = summary.id
        case .contact(let contact):
            throw Failure("there is no conversation with \(name: contact.name) yet; begin one with kith send")
        }
        let id = try await profile.send(send.text, to: conversation, replyTo: answered, expiresAfter: expires)
        return (id, conversation)
    }
}
