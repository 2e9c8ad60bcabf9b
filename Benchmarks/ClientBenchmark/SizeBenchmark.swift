import Foundation
import KithClient
import KithSimulation

/// Measures the number of bytes that one message writes to its sender's disk, in a group of two and in a large group. Only the
/// sender needs a disk, so the simulator makes the groups. Afterwards, the sender's transactions are written again into a
/// vault.
struct SizeBenchmark {
    let members: Int
    let workshop: Workshop
    let report: Report

    func run() throws {
        let few = try measure(2)
        let many = try measure(members)
        let words = "a message to \(members.formatted()) : to 2 members, bytes"
        report.add(words, many.onDisk / few.onDisk, "", .atMost(1.1))
        report.add("\(words) of values", many.ofValues / few.ofValues, "", .atMost(1.1))
    }

    private func measure(_ members: Int) throws -> (onDisk: Double, ofValues: Double) {
        let recording = try SendRecording(members: members, messages: 100)
        let store = try VaultStore.create(in: workshop.folder("group of \(members)"), .keyFile)
        try store.commit(recording.before)
        let settled = 50
        var bytes = Double(0)
        for (number, message) in recording.messages.enumerated() {
            let before = try bytesWritten()
            for transaction in message { try store.commit(transaction) }
            // The first transactions lengthen the write-ahead log to its final size, so they are not counted.
            if number >= settled { bytes += Double(try bytesWritten() - before) }
        }
        try store.close()
        bytes /= Double(recording.messages.count - settled)
        report.add("a message to \(members.formatted()) members, on the disk", bytes, "bytes")
        report.add("a message to \(members.formatted()) members, in values", recording.bytesOfMessage, "bytes")
        return (bytes, recording.bytesOfMessage)
    }
}
