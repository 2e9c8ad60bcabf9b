import KithWire

// Trims: what was read is dropped at the relay, which makes room for further letters.
//
// A sender whose letter the relay refused, and who tries again, notices the trim, and with it that the device is connected. So an
// inbox whose address many may have is trimmed once a day at most, at a time that is drawn and depends on no letter. Of the others,
// the address is known to people who may begin a conversation and ask there who is online.

extension InboxMachine {
    /// Trims an inbox whose address few have.
    mutating func trimAtOnce(in device: inout DeviceState) {
        if record.purpose.hasLimitedAudience { trim(in: &device) }
    }

    /// Trims an inbox whose address many may have, if its time has come.
    mutating func trimIfDue(in device: inout DeviceState) {
        guard let delay = trimDelay(at: device.wall), delay == 0 else { return }
        drawTrim(after: ClientLimits.trimMs, within: ClientLimits.trimMs, in: &device)
        trim(in: &device)
    }

    /// Draws another time for a trim that fell due while the relay was not connected: a trim at once would tell when the device came.
    /// So it does if the time lies too far ahead, since the clock was wrong.
    mutating func postponeTrim(in device: inout DeviceState) {
        guard !record.purpose.hasLimitedAudience else { return }
        let latest = device.wall.plus(2 * ClientLimits.trimMs)
        guard record.trimAt <= device.wall || record.trimAt > latest else { return }
        drawTrim(after: 0, within: ClientLimits.trimSoonMs, in: &device)
    }

    /// In how many milliseconds an inbox whose address many may have is trimmed.
    func trimDelay(at wall: UInt64) -> UInt64? {
        guard !record.purpose.hasLimitedAudience, followTag != nil else { return nil }
        return record.trimAt - min(record.trimAt, wall)
    }

    private mutating func drawTrim(after: UInt64, within: UInt64, in device: inout DeviceState) {
        var generator = SourceGenerator(source: device.random)
        record.planTrim(at: device.wall.plus(after + .random(in: 1...within, using: &generator)))
        store(in: &device)
    }

    /// Asks the relay to drop what was read. The request leaves after the transaction that holds what came of it.
    private mutating func trim(in device: inout DeviceState) {
        guard record.readThrough > record.trimmedSeq, followTag != nil, !isTrimming, !record.isClosing else { return }
        isTrimming = true
        request(
            .trim(channel: record.channel, throughSeq: record.readThrough), .trim(through: record.readThrough),
            in: &device)
    }

    /// Takes the answer to a trim. One that was refused is sent again at the next occasion.
    mutating func didTrim(through seq: UInt64, _ result: Result<Reply, RelayError>, in device: inout DeviceState) {
        isTrimming = false
        guard case .success = result else { return }
        // Stored with the next change: to ask again does no harm.
        record.didTrim(through: seq)
        trimAtOnce(in: &device)
    }
}
