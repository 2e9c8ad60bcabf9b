extension Messenger {
    var identity: (name: String, deviceName: String, accountKey: AccountKey) { fatalError() }
    func conversationSummaries() throws(KithError) -> [ConversationSummary] { [] }
    func conversationSummary(_ id: ConversationID) throws(KithError) -> ConversationSummary { throw .closed }
    var contactList: [Contact] { [] }
    func members(of conversation: ConversationID) throws(KithError) -> [Member] { [] }
    var openInvites: [OpenInvite] { [] }
    var relayUse: [(relay: RelayPoint, conversations: Int, inboxes: Int)] { [] }
    func history(of conversation: ConversationID, before seq: UInt64?, limit: Int) throws(KithError) -> [Message] { [] }
    func messages(in conversation: ConversationID, after seq: UInt64, limit: Int) throws(KithError) -> [Message] { [] }
    func search(_ words: String, in conversation: ConversationID?, limit: Int) throws(KithError) -> [Message] { [] }
    func safetyNumber(with contact: ContactID) throws(KithError) -> SafetyNumber { throw .closed }
    func explain(_ seq: UInt64, in conversation: ConversationID) throws(KithError) -> [String] { [] }
}
enum Profile {
    static func new(name: String, deviceName: String, now: UInt64) throws(StoreError) -> StoreTransaction { StoreTransaction() }
}
