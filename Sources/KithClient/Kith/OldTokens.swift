import Foundation
import KithWire

/// What somebody could try who has a copy of a profile that was removed from its conversations since: to be let in with the
/// tokens that were right once. For demonstrations and tests.
package struct OldTokens: Sendable {
    private let profile: URL
    private let secret: VaultSecret

    /// - Parameter profile: the folder of the copy. Nothing in it is changed.
    package init(profile: URL, secret: VaultSecret) {
        self.profile = profile
        self.secret = secret
    }

    /// Presents the tokens of the last epoch that is known, in the latest group of the profile, for that epoch and later ones.
    ///
    /// - Parameter epochs: how many epochs later: 0 for the last one that is known.
    /// - Returns: what the relay says to each; `nil` where it let the tokens in.
    package func attempts(epochs: ClosedRange<UInt64>) async throws -> [RelayError.Code?] {
        let kith = try await Kith.openForReading(in: profile, secret: secret)
        guard let place = try await kith.lastGroup() else { throw KithError.notFound("group") }
        let connection = try await RelayConnection.connect(
            to: place.relay.address, trust: .pinned(place.relay.pin), pass: place.relay.pass)
        var answers: [RelayError.Code?] = []
        for epoch in epochs.map({ place.epoch + $0 }) {
            do throws(RelayConnectionError) {
                _ = try await connection.request(
                    .present(channel: place.channel, epoch: epoch, tokens: place.tokens))
                _ = try await connection.follow(place.channel, epoch: epoch, fromSeq: place.lastSeq + 1)
                answers.append(nil)
            } catch {
                guard case .refused(let refusal) = error else { throw error }
                answers.append(refusal.code)
            }
        }
        await connection.close()
        return answers
    }
}

extension Kith {
    /// Where the latest group is.
    fileprivate func lastGroup() throws(KithError) -> GroupPlace? {
        try messenger.latestGroup()
    }
}
