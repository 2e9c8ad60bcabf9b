/// The answer to a question that requires a yes or a no.
enum YesOrNo: Sendable {
    case yes
    case no

    /// Reads `yes`, `y`, `no` or `n`, in upper or lower case and with spaces around the word; `nil` for any other text.
    init?(_ text: String) {
        switch text.filter({ !$0.isWhitespace }).lowercased() {
        case "yes", "y": self = .yes
        case "no", "n": self = .no
        default: return nil
        }
    }
}
