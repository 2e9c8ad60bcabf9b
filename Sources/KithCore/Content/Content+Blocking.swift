extension Content.Body {
    /// Whether the content takes effect even if the user has blocked its sender, because all members have to agree on it.
    var concernsAllMembers: Bool {
        switch self {
        case .title, .timer, .change(.deletion, _), .change(.pin, _): true
        case .text, .receipt, .contactCard, .files, .change, .privateRequest, .unknown: false
        }
    }
}
