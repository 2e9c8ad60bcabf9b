import KithWire

extension RelayModel {
    /// The number of a connection.
    typealias Connection = Int

    /// A frame that has to be sent to a connection. Frames with the same `channel` are sent in order.
    struct Outgoing {
        let connection: Connection
        let channel: ChannelID?
        let frame: RelayFrame
        /// Whether the connection is closed after the frame.
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

/// An entry that a client wants to append. If the entry opens the next epoch, it is a turn.
struct ModelAppend {
    let channel: ChannelID
    let epoch: UInt64
    let id: EntryID
    let payload: ArraySlice<UInt8>
    let nextAccess: Access?
}

/// The progress of a connection's follow of one epoch.
struct ModelFollow {
    let requestID: UInt32
    let epoch: UInt64
    var nextSeq: UInt64
}
