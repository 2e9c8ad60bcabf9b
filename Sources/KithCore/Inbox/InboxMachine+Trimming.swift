import KithWire

// Trims: the relay drops letters that were read, which makes room for others.
//
// A sender whose letter the relay refused, and who tries again, notices a trim, and so learns that the device is connected. An
// inbox whose address many may have is therefore trimmed once a day at most, at a random time that depends on no letter. The
// addresses of other inboxes are known to people who may begin a conversation, and can ask there who is online.

extension InboxMachine {
    /// Trims an inbox whose address few have.
    mutating func trimAtOnce(in device: inout DeviceState) {
        if record.purpose.hasLimitedAudience { trim(in: &device) }
    }

    /// Trims an inbox whose address many may have, if the trim is due.
    mutating func trimIfDue(in device: inout DeviceState) {
        guard let delay = trimDelay(at: device.wall), delay == 0 else { return }
        drawTrim(after: ClientLimits.trimMs, within: ClientLimits.trimMs, in: &device)
        trim(in: &device)
    }

    /// Draws another time for a trim that fell due while the relay was not connected. A trim at once would tell when the device
    /// connected. A time that lies too far ahead, because the clock was wrong, is drawn again too.
    mutating func postponeTrim(in device: inout DeviceState) {
        guard !record.purpose.hasLimitedAudience else { return }
        let latest = device.wall.plus(2 * ClientLimits.trimMs)
        guard record.trimAt <= device.wall || record.trimAt > latest else { return }
        drawTrim(after: 0, within: ClientLimits.trimSoonMs, in: &device)
    }

    /// Milliseconds until an inbox whose address many may have is trimmed; `nil` for other inboxes, and while there is no follow.
    func trimDelay(at wall: UInt64) -> UInt64? {
        guard !record.purpose.hasLimitedAudience, connection.followTag != nil else { return nil }
        return record.trimAt - min(record.trimAt, wall)
    }

    private mutating func drawTrim(after: UInt64, within: UInt64, in device: inout DeviceState) {
        var generator = SourceGenerator(source: device.random)
        record.planTrim(at: device.wall.plus(after + .random(in: 1...within, using: &generator)))
        store(in: &device)
    }

    /// Asks the relay to drop letters that were read. The request leaves after the transaction that stores their results.
    private mutating func trim(in device: inout DeviceState) {
        guard record.readThrough > record.trimmedSeq, connection.followTag != nil, !connection.isTrimming,
            !record.isClosing
        else { return }
        connection.beginTrim()
        request(
            .trim(channel: record.channel, throughSeq: record.readThrough), .trim(through: record.readThrough),
            in: &device)
    }

    /// Handles the answer to a trim. A refused trim is sent again at the next occasion.
    mutating func didTrim(through seq: UInt64, _ result: Result<Reply, RelayError>, in device: inout DeviceState) {
        connection.endTrim()
        guard case .success = result else { return }
        // Stored with the next change, because it does no harm to ask again.
        record.didTrim(through: seq)
        trimAtOnce(in: &device)
    }
}
