import KithWire

extension RelayModel {
    /// The number of a connection.
    typealias Connection = Int

    /// A frame for a connection. Frames with the same `channel` keep their order.
    struct Outgoing {
        let connection: Connection
        let channel: ChannelID?
        let frame: RelayFrame
        /// Whether the connection is closed after it.
        var closes = false
    }

    /// The state of a connection.
    struct Session {
        var hasSaidHello = false
        var rights: [ChannelID: [(epoch: UInt64, rights: Rights)]] = [:]
        var follows: [ChannelID: ModelFollow] = [:]

        func rights(in channel: ChannelID, _ epoch: UInt64) -> Rights {
            rights[channel]?.last { $0.epoch == epoch }?.rights ?? []
        }

        mutating func grant(_ granted: Rights, in channel: ChannelID, _ epoch: UInt64) {
            var epochs = rights[channel] ?? []
            let before = epochs.firstIndex { $0.epoch == epoch }.map { epochs.remove(at: $0).rights } ?? []
            epochs.append((epoch, before.union(granted)))
            rights[channel] = epochs.suffix(ModelLimits.presentedEpochs)
        }
    }
}

/// An entry that a connection asks to append, a turn if it opens the next epoch.
struct ModelAppend {
    let channel: ChannelID
    let epoch: UInt64
    let id: EntryID
    let payload: ArraySlice<UInt8>
    let nextAccess: Access?
}

/// The progress of one connection in one epoch.
struct ModelFollow {
    let requestID: UInt32
    let epoch: UInt64
    var nextSeq: UInt64
}
