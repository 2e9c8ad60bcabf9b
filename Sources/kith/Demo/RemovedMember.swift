import Foundation
import KithClient
import KithCore
import KithWire

/// A removed member who has kept a copy of the profile. The member presents the copy's tokens to the relay.
struct RemovedMember: Sendable {
    /// The folder of the copy. The copy is not changed.
    let profile: URL

    /// For the last epoch that the copy knows, and for later epochs, presents the tokens of the newest group in the copy and
    /// tries to follow the group's channel.
    ///
    /// - Parameter epochs: the numbers of the epochs. The last epoch that the copy knows has the number 0.
    /// - Returns: the relay's refusal for each epoch; `nil` if the relay has refused neither the tokens nor the follow.
    func attempts(epochs: ClosedRange<UInt64>) async throws -> [RelayError.Code?] {
        let store = try VaultStore.open(in: profile, .keyFile, isReadOnly: true)
        let now = UInt64(Date().timeIntervalSince1970 * 1000)
        guard let place = try ProfileMachine(reading: store, now: now).latestGroup() else {
            throw KithError.notFound("group")
        }
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
