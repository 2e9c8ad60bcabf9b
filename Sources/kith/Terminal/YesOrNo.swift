/// An answer to a question that only a yes or a no decides.
enum YesOrNo: Sendable {
    case yes
    case no

    /// Reads `yes`, `y`, `no` or `n`, in either case and with space around; `nil` for anything else.
    init?(_ text: String) {
        switch text.filter({ !$0.isWhitespace }).lowercased() {
        case "yes", "y": self = .yes
        case "no", "n": self = .no
        default: return nil
        }
    }
}
