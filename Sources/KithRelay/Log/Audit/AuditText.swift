import KithSupport
import KithWire

/// Formats rows as text for people and as JSON for programs.
extension AuditRow {
    /// The row as one line of text.
    package var text: String {
        switch self {
        case .store(let row):
            return "relay \(row.relayID): \(row.channels) open channels, \(row.names) names, "
                + "\(row.diskBytes) bytes on the disk"
        case .channel(let row) where row.isClosed:
            return "channel \(row.number) (id \(row.id)…): closed; holds nothing"
        case .channel(let row):
            return "channel \(row.number) (id \(row.id)…): \(row.kind), epoch \(row.epoch), entries \(row.firstSeq) to "
                + "\(row.lastSeq), \(row.payloadBytes) bytes, kept for \(row.retentionSeconds) s, created "
                + "\(AuditRow.time(row.createdMs)), used \(AuditRow.time(row.usedMs))"
        case .epoch(let row):
            let end = row.lastSeq.map { "to \($0)" } ?? "on"
            return "  epoch \(row.epoch), from entry \(row.firstSeq) \(end): token hashes read \(row.readTokenHash), "
                + "append \(row.appendTokenHash), turn \(row.turnTokenHash)"
        case .entry(let row):
            let kind = row.kind == .turn ? "turn" : "message"
            return "  entry \(row.seq), epoch \(row.epoch), \(kind), received \(AuditRow.time(row.receivedAtMs)), "
                + "\(row.size) bytes, id \(row.id), ciphertext \(row.start)\(row.size * 2 > row.start.count ? "…" : "")"
        case .keyPackage(let row):
            let time = row.depositedMs.map { ", deposited \(AuditRow.time($0))" } ?? ""
            return "  key package\(row.isLastResort ? " of last resort" : ""), \(row.size) bytes\(time)"
        case .name(let row):
            return "name \(row.name): record version \(row.version), \(row.contentSize) bytes, "
                + "renewed \(AuditRow.time(row.renewedMs)), identity key hash \(row.identityHash)"
        case .blob(let row):
            let state = row.isDamaged ? "DAMAGED: the file has \(row.fileBytes ?? 0) bytes of " : ""
            return "file (id \(row.id)…): \(state)\(row.stored) of \(row.size) bytes, created "
                + "\(AuditRow.time(row.createdMs)), kept until \(AuditRow.time(row.expiresMs)), token hashes read "
                + "\(row.readTokenHash), write \(row.writeTokenHash)"
        }
    }

    /// The row as a JSON object in one line.
    package var json: String {
        // Every text is hexadecimal, a name or a fixed word, so no character needs to be escaped.
        switch self {
        case .store(let row):
            AuditRow.object(
                "store",
                [
                    ("relayID", .text(row.relayID)), ("channels", .number(row.channels)), ("names", .number(row.names)),
                    ("diskBytes", .number(row.diskBytes)),
                ])
        case .channel(let row):
            AuditRow.object(
                "channel",
                [
                    ("number", .number(row.number)), ("id", .text(row.id)), ("channelKind", .text("\(row.kind)")),
                    ("createdMs", .number(row.createdMs)), ("usedMs", .number(row.usedMs)),
                    ("retentionSeconds", .number(UInt64(row.retentionSeconds))), ("closed", .flag(row.isClosed)),
                    ("epoch", .number(row.epoch)), ("firstSeq", .number(row.firstSeq)),
                    ("lastSeq", .number(row.lastSeq)), ("payloadBytes", .number(row.payloadBytes)),
                ])
        case .epoch(let row):
            AuditRow.object(
                "epoch",
                [
                    ("channel", .number(row.channel)), ("epoch", .number(row.epoch)),
                    ("firstSeq", .number(row.firstSeq)),
                    ("lastSeq", row.lastSeq.map { .number($0) } ?? .null), ("readTokenHash", .text(row.readTokenHash)),
                    ("appendTokenHash", .text(row.appendTokenHash)), ("turnTokenHash", .text(row.turnTokenHash)),
                ])
        case .entry(let row):
            AuditRow.object(
                "entry",
                [
                    ("channel", .number(row.channel)), ("seq", .number(row.seq)), ("epoch", .number(row.epoch)),
                    ("entryKind", .text(row.kind == .turn ? "turn" : "message")),
                    ("receivedAtMs", .number(row.receivedAtMs)), ("id", .text(row.id)),
                    ("size", .number(UInt64(row.size))), ("start", .text(row.start)),
                ])
        case .keyPackage(let row):
            AuditRow.object(
                "keyPackage",
                [
                    ("channel", .number(row.channel)), ("size", .number(row.size)),
                    ("lastResort", .flag(row.isLastResort)),
                    ("depositedMs", row.depositedMs.map { .number($0) } ?? .null),
                ])
        case .name(let row):
            AuditRow.object(
                "name",
                [
                    ("name", .text(row.name)), ("version", .number(row.version)),
                    ("identityHash", .text(row.identityHash)), ("contentSize", .number(UInt64(row.contentSize))),
                    ("renewedMs", .number(row.renewedMs)),
                ])
        case .blob(let row):
            AuditRow.object(
                "blob",
                [
                    ("id", .text(row.id)), ("size", .number(row.size)), ("stored", .number(row.stored)),
                    ("fileBytes", row.fileBytes.map { .number($0) } ?? .null),
                    ("createdMs", .number(row.createdMs)), ("expiresMs", .number(row.expiresMs)),
                    ("readTokenHash", .text(row.readTokenHash)), ("writeTokenHash", .text(row.writeTokenHash)),
                ])
        }
    }

    private enum Value {
        case number(UInt64)
        case text(String)
        case flag(Bool)
        case null

        var json: String {
            switch self {
            case .number(let value): "\(value)"
            case .text(let value): "\"\(value)\""
            case .flag(let value): "\(value)"
            case .null: "null"
            }
        }
    }

    private static func object(_ kind: String, _ fields: [(name: String, value: Value)]) -> String {
        let all = [("kind", Value.text(kind))] + fields
        return "{" + all.map { "\"\($0)\":\($1.json)" }.joined(separator: ",") + "}"
    }

    private static func time(_ ms: UInt64) -> String { UTCTime(milliseconds: ms).spaced }
}
