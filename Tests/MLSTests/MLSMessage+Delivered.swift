@testable import MLS

extension MLSMessage {
    /// The message as it arrives: encoded and decoded again.
    var delivered: MLSMessage { get throws { try MLSMessage.decode(encoded) } }

    var asWelcome: Welcome {
        get throws {
            guard case .welcome(let welcome) = try delivered else { throw JSON.Missing(description: "no welcome") }
            return welcome
        }
    }

    var asGroupInfo: GroupInfo {
        get throws {
            guard case .groupInfo(let info) = try delivered else { throw JSON.Missing(description: "no group info") }
            return info
        }
    }
}

extension Group {
    /// Receives a commit and applies it.
    @discardableResult
    mutating func follow(_ message: MLSMessage, _ environment: MLSEnvironment = testEnvironment()) throws
        -> CommitEffect
    {
        guard case .commit(let staged) = try process(message.delivered, in: environment) else {
            throw JSON.Missing(description: "no commit")
        }
        try apply(staged)
        return staged.effect
    }

    mutating func receive(_ message: MLSMessage, _ environment: MLSEnvironment = testEnvironment()) throws
        -> ApplicationMessage
    {
        guard case .application(let received) = try process(message.delivered, in: environment) else {
            throw JSON.Missing(description: "no application message")
        }
        return received
    }

    mutating func hear(_ message: MLSMessage, _ environment: MLSEnvironment = testEnvironment()) throws {
        guard case .proposal = try process(message.delivered, in: environment) else {
            throw JSON.Missing(description: "no proposal")
        }
    }
}
