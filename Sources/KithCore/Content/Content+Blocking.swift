extension Content.Body {
    /// Whether the content takes effect even if the user has blocked its sender, because all members have to agree on it.
    var concernsAllMembers: Bool {
        switch self {
        case .title, .timer, .change(.deletion, _), .change(.pin, _): true
        case .text, .receipt, .contactCard, .files, .change, .privateRequest, .unknown: false
        }
    }

    /// Whether the history says that the content took effect, even if the user has blocked its sender. The timer decides how long
    /// the user's own texts stay, so the user has to see a change of it. A title or a pin is only a way to be noticed.
    var isShownIfBlocked: Bool { if case .timer = self { true } else { false } }
}

extension Content.Body {
    /// Whether the content is what a person has typed or attached, and not a change or a setting.
    var isMessage: Bool {
        switch self {
        case .text, .files: true
        case .receipt, .contactCard, .title, .change, .timer, .privateRequest, .unknown: false
        }
    }
}

extension Warning {
    /// Whether the warning is evidence that the relay shows different logs.
    var isAboutRelay: Bool { if case .differentLogs = self { true } else { false } }
}
