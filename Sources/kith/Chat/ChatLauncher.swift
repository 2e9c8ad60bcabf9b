import KithClient

/// Opens the chat from other commands.
enum ChatLauncher {
    /// Whether standard input and output are a terminal that can show a chat.
    static var isThere: Bool { TerminalMode() != nil && StandardStream.output.isTerminal && TerminalMode.isCapable }

    /// Opens the chat. Returns when the user leaves the chat.
    static func open(_ conversation: ConversationID, of profile: Profile, _ options: ProfileOptions) async throws {
        var session = try await ChatSession(
            conversation, of: profile, reading: LineReader(), options: ChatSession.Options(), isJSON: options.json)
        try await session.run()
    }
}
