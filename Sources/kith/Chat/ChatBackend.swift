import Foundation
import KithClient

/// Performs the requests of a conversation's screen on a profile.
struct ChatBackend: Sendable {
    let profile: Profile
    let conversation: ConversationID
    /// Whether this device sends read receipts to the other members.
    let sendsReceipts: Bool

    /// Maximum number of unread messages that are shown at first. A person does not read more at once.
    private static let mostUnread = 1_000
    private static let mostFound = 100

    /// Milliseconds since 1970.
    static var now: UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }

    /// Reads the state of the conversation for its first screen.
    ///
    /// - Parameter page: the number of messages to show to a person at first. If more than `page` messages are unread, all
    ///   unread messages are shown, up to a limit. `nil` for a program, which gets all unread messages.
    func opening(page: Int?) async throws(KithError) -> ChatModel.Opening {
        let summary = try await profile.conversation(conversation)
        let history: [Message]
        if let page {
            history = try await profile.history(
                of: conversation, limit: max(page, min(Self.mostUnread, summary.unread)))
        } else {
            history = try await unread(after: summary.readThrough)
        }
        let conversations = try await profile.conversations()
        return ChatModel.Opening(
            me: await profile.identity().name, conversation: summary,
            members: try await profile.members(of: conversation),
            contacts: await profile.contacts(),
            names: Dictionary(conversations.map { ($0.id, $0.name) }) { $1 },
            muted: Set(conversations.filter(\.isMuted).map(\.id)),
            history: history)
    }

    func unread(after seq: UInt64) async throws(KithError) -> [Message] {
        var unread: [Message] = []
        var last = seq
        while true {
            let page = try await profile.messages(in: conversation, after: last, limit: Self.mostUnread)
            unread += page
            guard page.count >= Self.mostUnread, let next = page.last?.seq, next > last else { return unread }
            last = next
        }
    }

    /// Downloads files, saves the files in the current folder, and returns the paths of the saved files.
    private func save(_ number: FileNumber) async throws(KithError) -> [String] {
        let listed = try await number.files(in: conversation, of: profile)
        guard !listed.isEmpty else { throw .files(.notFound) }
        var paths: [String] = []
        for file in listed {
            guard let seq = file.message.seq else { continue }
            try await profile.files.fetch(file.file.number, of: seq, in: conversation)
            let folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
            guard let url = try await profile.files.save(file.file.number, of: seq, in: conversation, to: folder)
            else { throw .files(.damaged) }
            paths.append(url.path)
        }
        return paths
    }

    /// Tells the members that the user is typing. If they can't be told, nothing is lost.
    func tellTyping() async { try? await profile.tellTyping(in: conversation) }

    /// Performs a request and returns its result.
    func result(of request: ChatRequest) async -> Result<ChatAnswer, KithError> {
        do throws(KithError) { return .success(try await answer(to: request)) } catch { return .failure(error) }
    }

    private func answer(to request: ChatRequest) async throws(KithError) -> ChatAnswer {
        switch request {
        case .send(let text, let replyTo, let expiresAfter):
            return .sent(
                try await profile.files.sendText(
                    text, to: conversation, replyTo: replyTo,
                    expiresAfter: expiresAfter.map { .seconds(Int64($0)) }))
        case .sendFiles(let typed, let expiresAfter):
            let paths = TypedPath.paths(typed)
            let id = try await profile.files.send(
                paths.map { .file(URL(fileURLWithPath: $0)) }, to: conversation,
                expiresAfter: expiresAfter.map { .seconds(Int64($0)) })
            return .sentFiles(id, names: paths.map { URL(fileURLWithPath: $0).lastPathComponent })
        case .files:
            let moving = await profile.files.progress().filter { $0.conversation == conversation }
            return .files(try await profile.files.list(in: conversation, limit: Self.mostFound), moving)
        case .get(let number): return .saved(try await save(number))
        case .change(let seq, let change): try await profile.change(seq, in: conversation, change)
        case .setTimer(let seconds):
            try await profile.setTimer(seconds.map { .seconds(Int64($0)) }, in: conversation)
        case .lastPage(let limit):
            return .messages(try await profile.history(of: conversation, limit: limit))
        case .pinned: return .messages(try await profile.pinnedMessages(in: conversation))
        case .markRead(let seq):
            try await profile.markRead(conversation, through: seq, sendsReceipt: sendsReceipts)
        case .checkPresence: try await profile.checkPresence(in: conversation)
        case .history(let seq, let limit):
            return .messages(try await profile.history(of: conversation, before: seq, limit: limit))
        case .search(let search): return .messages(try await profile.search(search, limit: Self.mostFound))
        case .explain(let seq): return .sentences(try await profile.explain(seq, in: conversation))
        case .members: return .members(try await profile.members(of: conversation))
        case .safetyNumber(let contact): return .safetyNumber(try await profile.safetyNumber(with: contact))
        case .setVerified(let contact, let isVerified): try await profile.setVerified(contact, isVerified)
        case .decideKey(let contact, let accept): try await profile.decideKey(of: contact, accept: accept)
        case .setBlocked(let contact, let isBlocked): try await profile.setBlocked(contact, isBlocked)
        case .add(let contacts): try await profile.add(contacts, to: conversation)
        case .remove(let contact): try await profile.remove(contact, from: conversation)
        case .rename(let title): try await profile.rename(conversation, to: title)
        case .leave: try await profile.leave(conversation)
        case .invite:
            let address = try await profile.conversation(conversation).relay
            guard let relay = await profile.relays().map(\.relay).first(where: { $0.address == address }) else {
                throw .notFound("\(address)")
            }
            return .invite(try await profile.createInvite(at: relay).invite.line)
        case .trustLog: try await profile.trustLog(of: conversation)
        }
        return .done
    }
}
