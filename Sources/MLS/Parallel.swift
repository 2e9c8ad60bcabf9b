import Dispatch

/// Maps independent items over all cores, in order. Signatures and HPKE ciphertexts are independent of each other, and a
/// large group has thousands.
func parallelMap<Item: Sendable, Output: Sendable>(
    _ items: [Item], _ transform: @Sendable (Item) throws(MLSError) -> Output
) throws(MLSError) -> [Output] {
    guard items.count >= Limits.parallelThreshold else {
        var outputs: [Output] = []
        outputs.reserveCapacity(items.count)
        for item in items { outputs.append(try transform(item)) }
        return outputs
    }
    let results = [Result<Output, MLSError>?](unsafeUninitializedCapacity: items.count) { buffer, count in
        buffer.initialize(repeating: nil)
        // Each index is written by one iteration only.
        nonisolated(unsafe) let target = buffer
        // A few pieces per core balance uneven work without a dispatch for each item.
        let pieces = min(items.count, 16)
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            for index in (items.count * piece / pieces)..<(items.count * (piece + 1) / pieces) {
                target[index] = Result { () throws(MLSError) in try transform(items[index]) }
            }
        }
        count = items.count
    }
    var outputs: [Output] = []
    outputs.reserveCapacity(items.count)
    for result in results {
        guard let result else { throw .internalError }
        outputs.append(try result.get())
    }
    return outputs
}
