import KithWire
import TLSCodec

extension Content.Body: TLSCodable {
    private enum Kind: UInt16 {
        case text = 1
        case receipt, contactCard, title, files, reaction, edit, deletion, pin, timer, textWithMentions, privateRequest
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let value = try reader.readUInt16()
        var body = try reader.readNested()
        switch Kind(rawValue: value) {
        case .text:
            self = .text(try Self.checked(MessageText(try body.readText(limit: ClientLimits.text))))
        case .textWithMentions:
            let text: MessageText = try body.read()
            // A text without mentions has only one form: kind `text`.
            guard !text.mentions.isEmpty else { throw .unknownValue(field: "MessageText.mentions", value: 0) }
            self = .text(try Self.checked(text))
        case .receipt: self = .receipt(readThrough: try body.readUInt64())
        case .contactCard: self = .contactCard(try body.read())
        case .title: self = .title(try body.readText(limit: ClientLimits.title))
        case .files: self = .files(try body.read())
        case .reaction:
            let target: MessageReference = try body.read()
            let text = try body.readText(limit: ClientLimits.reaction)
            guard text.isEmpty || MessageChange.mayBeReaction(text) else {
                throw .unknownValue(field: "Content.reaction", value: UInt64(value))
            }
            self = .change(.reaction(text.isEmpty ? nil : text), of: target)
        case .edit:
            let target: MessageReference = try body.read()
            self = .change(.edit(try Self.checked(try body.read())), of: target)
        case .deletion: self = .change(.deletion, of: try body.read())
        case .pin:
            let target: MessageReference = try body.read()
            self = .change(.pin(try body.readPresence()), of: target)
        case .timer:
            let seconds = try body.readUInt32()
            self = .timer(seconds == 0 ? nil : seconds)
        case .privateRequest: self = .privateRequest(try body.read())
        case nil: self = .unknown(kind: value, Array(try body.readBytes(body.remaining)))
        }
        try body.expectEnd()
    }

    /// Returns the text; throws an error if the text breaks a rule of ``TextRules``.
    private static func checked(_ text: MessageText) throws(TLSCodecError) -> MessageText {
        guard TextRules.problem(with: text.text) == nil else {
            throw .unknownValue(field: "Content.text", value: UInt64(text.text.utf8.count))
        }
        return text
    }

    func encode(into writer: inout TLSWriter) {
        func write(_ kind: Kind, _ body: (inout TLSWriter) -> Void) {
            writer.write(kind.rawValue)
            writer.writeNested(body)
        }
        switch self {
        case .text(let text) where text.mentions.isEmpty: write(.text) { $0.writeText(text.text) }
        case .text(let text): write(.textWithMentions) { $0.write(text) }
        case .receipt(let seq): write(.receipt) { $0.write(seq) }
        case .contactCard(let address): write(.contactCard) { $0.write(address) }
        case .title(let title): write(.title) { $0.writeText(title) }
        case .files(let files): write(.files) { $0.write(files) }
        case .change(let change, let target):
            write(Self.kind(of: change)) { writer in
                writer.write(target)
                switch change {
                case .reaction(let text): writer.writeText(text ?? "")
                case .edit(let text): writer.write(text)
                case .deletion: break
                case .pin(let isPinned): writer.write(isPinned)
                }
            }
        case .timer(let seconds): write(.timer) { $0.write(seconds ?? 0) }
        case .privateRequest(let sealed): write(.privateRequest) { $0.write(sealed) }
        case .unknown(let kind, let bytes):
            writer.write(kind)
            writer.writeOpaque(bytes)
        }
    }

    private static func kind(of change: MessageChange) -> Kind {
        switch change {
        case .reaction: .reaction
        case .edit: .edit
        case .deletion: .deletion
        case .pin: .pin
        }
    }
}
