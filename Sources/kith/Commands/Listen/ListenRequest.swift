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

    /// Does what a line asks for.
    static func carryOut(_ line: String, with kith: Kith) async -> Answer {
        let request: ListenRequest
        do {
            request = try JSONDecoder().decode(ListenRequest.self, from: Data(line.utf8))
        } catch {
            return Answer(
                event: "error", message: "this is no command: it is not JSON, or not as kith help listen has it")
        }
        guard let send = request.send else {
            return Answer(event: "error", ref: request.ref, message: "the only command is \"send\"")
        }
        do {
            let message = try await request.carryOut(send, with: kith)
            return Answer(
                event: "sent", ref: request.ref, id: message.id.hex, conversation: message.conversation.rawValue)
        } catch let error as Failure {
            return Answer(event: "error", ref: request.ref, message: error.message)
        } catch {
            return Answer(event: "error", ref: request.ref, message: "\(error)")
        }
    }

    private func carryOut(_ send: Send, with kith: Kith) async throws -> Message {
        guard send.text.contains(where: { !$0.isWhitespace }) else {
            throw Failure(message: "there is nothing to send")
        }
        guard send.text.utf8.count <= ClientLimits.text else { throw KithError.tooLong(limit: ClientLimits.text) }
        var answered: EntryID?
        if let replyTo = send.replyTo {
            answered = EntryID(hex: replyTo)
            if answered == nil { throw Failure(message: "replyTo takes the id of a message") }
        }
        var expires: UInt32?
        if let text = send.expires {
            expires = Lifetime(argument: text).flatMap { UInt32(exactly: $0.seconds) }
            if expires ?? 0 == 0 { throw Failure(message: "expires takes a time, such as 1d") }
        }
        let conversation: ConversationID
        switch try await NamedTarget.named(send.to, in: kith) {
        case .conversation(let summary): conversation = summary.id
        case .contact(let contact):
            throw Failure(message: "there is no conversation with \(contact.name) yet; begin one with kith send")
        }
        return try await kith.send(send.text, to: conversation, replyTo: answered, expiresAfter: expires)
    }
}
