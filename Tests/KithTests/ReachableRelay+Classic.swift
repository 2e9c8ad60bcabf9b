import ClassicSession
import Foundation
import KithClient
import KithRelay
import KithWire
import RelayTestSupport
import Testing

@testable import kith

extension ReachableRelay {
    /// Starts `kith classic` as this user.
    func classic(_ me: String, _ peer: String, _ more: String...) throws -> KithProcess {
        try KithProcess(
            [
                "classic", "--relay", address.description, "--pin", pin.description, "--id", me, "--peer", peer,
            ] + more,
            folder: folder)
    }

    /// Makes a conversation inside the test's process.
    func chat(
        _ me: String, _ peer: String, identity: ClassicIdentity, giveUpAfter: Duration = .zero,
        report: @escaping ClassicChat.Report
    ) throws -> ClassicChat {
        try ClassicChat(
            session: { try ClassicSession(me: ClassicID(me), peer: ClassicID(peer), identity: identity) },
            giveUpAfter: giveUpAfter,
            connect: { [address, pin] in try await RelayConnection.connect(to: address, trust: .pinned(pin)) },
            report: report)
    }
}
