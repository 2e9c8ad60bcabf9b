import KithClient

extension ChatModel {
    mutating func get(_ number: FileNumber) {
        notice("getting \(own: number.description)")
        request(.get(number))
    }

    /// Shows the files of the conversation, the newest last, directly above the input line.
    mutating func show(_ listed: [ListedFile], _ moving: [FileProgress]) {
        guard !listed.isEmpty || !moving.isEmpty else { return notice("there are no files here") }
        var lines: [ScreenLine] = listed.reversed().map { listed in
            let reference = listed.file.reference(
                in: listed.message.seq ?? 0, of: listed.message.files?.files.count ?? 1)
            let who: Sentence = listed.message.author == .me ? "you" : "\(name: listed.message.author.shortName)"
            return ScreenLine(
                .notice,
                "  \(own: reference)  \(quoted: listed.file.name), \(own: ByteCount.text(listed.file.size)), from \(who); \(own: listed.state.words)"
            )
        }
        for progress in moving where progress.isUpload {
            lines.append(ScreenLine(.notice, "  sending \(own: TransferDisplay.line([progress], rate: 0))"))
        }
        show(lines)
    }
}
