import KithWire

// Trims: the relay drops letters that were read, which makes room for new ones.
//
// If the relay has refused a sender's letter and the sender tries again, the sender notices a trim. The trim shows that the
// device is connected. So an inbox whose address many people may have is trimmed at most once a day, at a random time that does
// not depend on any letter. The addresses of other inboxes are known only to people who may begin a conversation with the user.
// In the conversation, they can find out anyway whether the device is connected.

extension InboxMachine {
    /// If only a few people have the inbox's address, asks the relay to drop the letters that were read.
    mutating func trimAtOnce(in device: inout DeviceState) {
        if record.purpose.hasLimitedAudience { trim(in: &device) }
    }

    /// If many people may have the inbox's address and a trim is due, asks the relay to drop the letters that were read.
    mutating func trimIfDue(in device: inout DeviceState) {
        guard let delay = trimDelay(at: device.wall), delay == 0 else { return }
        drawTrim(after: ClientLimits.trimMs, within: ClientLimits.trimMs, in: &device)
        trim(in: &device)
    }

    /// If a trim was missed while the relay was not connected, chooses a new random time for the trim. An immediate trim would
    /// show the senders of letters when the device connected. A planned time that is too far in the future comes from a wrong
    /// clock, and is replaced by a random time.
    mutating func postponeTrim(in device: inout DeviceState) {
        guard !record.purpose.hasLimitedAudience else { return }
        let latest = device.wall.plus(2 * ClientLimits.trimMs)
        guard record.trimAt <= device.wall || record.trimAt > latest else { return }
        drawTrim(after: 0, within: ClientLimits.trimSoonMs, in: &device)
    }

    /// Returns the milliseconds until the next trim. `nil` if only a few people have the inbox's address, or if the inbox is not
    /// followed now.
    func trimDelay(at wall: UInt64) -> UInt64? {
        guard !record.purpose.hasLimitedAudience, connection.followTag != nil else { return nil }
        return record.trimAt - min(record.trimAt, wall)
    }

    private mutating func drawTrim(after: UInt64, within: UInt64, in device: inout DeviceState) {
        var generator = SourceGenerator(source: device.random)
        record.planTrim(at: device.wall.plus(after + .random(in: 1...within, using: &generator)))
        store(in: &device)
    }

    /// Asks the relay to drop the letters that were read. The device stores the results of the letters, and then sends the
    /// request.
    private mutating func trim(in device: inout DeviceState) {
        guard record.readThrough > record.trimmedSeq, connection.followTag != nil, !connection.isTrimming,
            !record.isClosing
        else { return }
        connection.beginTrim()
        request(
            .trim(channel: record.channel, throughSeq: record.readThrough), .trim(through: record.readThrough),
            in: &device)
    }

    /// Handles the answer to a trim. If the relay has refused the trim, the client tries again at the next opportunity.
    mutating func didTrim(through seq: UInt64, _ result: Result<Reply, RelayError>, in device: inout DeviceState) {
        connection.endTrim()
        guard case .success = result else { return }
        // The record is stored with its next change. If the program ends earlier, the device only sends the trim again, which
        // does no harm.
        record.didTrim(through: seq)
        trimAtOnce(in: &device)
    }
}
