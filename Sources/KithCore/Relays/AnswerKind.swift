import KithWire

/// The kind of reply to a request that the relay does not refuse.
enum AnswerKind {
    case welcome, done, granted, accepted, following, keyPackage, record

    init(to request: Request) {
        self =
            switch request {
            case .hello: .welcome
            case .present: .granted
            case .append, .turn: .accepted
            case .follow: .following
            case .withdraw: .keyPackage
            case .lookup: .record
            case .create, .unfollow, .whisper, .close, .deposit, .register, .ping, .trim, .createBlob: .done
            }
    }

    func isAnswered(by reply: Reply) -> Bool {
        switch (self, reply) {
        case (.welcome, .welcome), (.done, .done), (.granted, .granted), (.accepted, .accepted),
            (.following, .following), (.keyPackage, .keyPackage), (.record, .record):
            true
        default:
            false
        }
    }
}

extension Reply {
    var isError: Bool { if case .error = self { true } else { false } }
}
