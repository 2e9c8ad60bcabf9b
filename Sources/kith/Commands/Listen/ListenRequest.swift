import Foundation
import KithClient
import KithWire

/// A request on the input of `kith listen --json`: one line of JSON.
struct ListenRequest: Decodable {
    private let send: Send?
    private let ref: JSONValue?

    private struct Send: Decodable {
        let to: String
        let text: String
        let replyTo: String?
        let expires: String?
    }

    /// Performs the request in a line and returns the answer. The answer repeats the line's `ref`, even if the remaining fields
    /// are wrong.
    static func carryOut(_ line: LineReader.Line, with profile: Profile) async -> JSONEvent {
        let data = Data(line.text.utf8)
        func refusal(_ message: String) -> JSONEvent {
            let ref = (try? JSONDecoder().decode(Labelled.self, from: data))?.ref
            return JSONEvent("error", ["ref": ref, "message": .text(message)])
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
            return JSONEvent(
                "sent", ["ref": request.ref, "id": .text(id.hex), "conversation": .unsigned(conversation.rawValue)])
        } catch {
            return refusal(ErrorWords.sentence(for: error))
        }
    }

    /// The `ref` of a line, without the other fields.
    private struct Labelled: Decodable {
        let ref: JSONValue?
    }

    /// Describes why a line is not a valid request.
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
            return "\"\(path(context))\" has the wrong form (kith help listen)"
        default: return "this is not a command: it is not a JSON object (kith help listen)"
        }
    }

    private func carryOut(_ send: Send, with profile: Profile) async throws -> (EntryID, ConversationID) {
        var answered: EntryID?
        if let replyTo = send.replyTo {
            answered = EntryID(hex: replyTo)
            if answered == nil { throw Failure(message: "replyTo must be the id of a message") }
        }
        var expires: Duration?
        if let text = send.expires {
            expires = DurationArgument(argument: text).flatMap { UInt32(exactly: $0.seconds) }.map {
                .seconds(Int64($0))
            }
            if expires ?? .zero == .zero {
                throw Failure(message: "expires must be a number and its unit, as in 90s, 30m, 12h or 7d")
            }
        }
        let conversation: ConversationID
        switch try await NamedTarget.named(send.to, in: profile) {
        case .conversation(let summary): conversation = summary.id
        case .contact(let contact):
            throw Failure("there is no conversation with \(name: contact.name) yet; begin one with kith send")
        }
        let id = try await profile.files.sendText(send.text, to: conversation, replyTo: answered, expiresAfter: expires)
        return (id, conversation)
    }
}
