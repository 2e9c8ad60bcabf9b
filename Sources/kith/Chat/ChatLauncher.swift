import KithClient

/// Where other commands go on to the chat.
enum ChatLauncher {
    /// Whether a person sits at a terminal who could chat.
    static var isThere: Bool { TerminalMode() != nil && StandardStream.output.isTerminal && TerminalMode.isCapable }

    /// Opens the chat, and returns when it is left.
    static func open(_ conversation: ConversationID, of profile: Profile, _ options: ProfileOptions) async throws {
        var session = try await ChatSession(
            conversation, of: profile, reading: LineReader(), options: ChatSession.Options(), isJSON: options.json)
        try await session.run()
    }
}
