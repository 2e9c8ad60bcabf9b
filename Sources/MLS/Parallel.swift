import Dispatch

/// Maps independent items on all cores. Returns the results in the order of the items. Joining a large group needs thousands of
/// signature checks, and a commit can need thousands of HPKE ciphertexts.
func parallelMap<Item: Sendable, Output: Sendable>(
    _ items: [Item], _ transform: @Sendable (Item) throws(MLSError) -> Output
) throws(MLSError) -> [Output] {
    try parallelMap(items, beside: { () throws(MLSError) in }, transform).outputs
}

/// Maps independent items on all cores. One core first runs `work`. An error of `work` takes precedence over errors of the items.
func parallelMap<Item: Sendable, Output: Sendable, Work: Sendable>(
    _ items: [Item], beside work: @Sendable () throws(MLSError) -> Work,
    _ transform: @Sendable (Item) throws(MLSError) -> Output
) throws(MLSError) -> (work: Work, outputs: [Output]) {
    var outputs: [Output] = []
    outputs.reserveCapacity(items.count)
    guard items.count >= Limits.parallelThreshold else {
        let done = try work()
        for item in items { outputs.append(try transform(item)) }
        return (done, outputs)
    }
    var done: Result<Work, MLSError>?
    let results = [Result<Output, MLSError>?](unsafeUninitializedCapacity: items.count) { buffer, count in
        buffer.initialize(repeating: nil)
        withUnsafeMutablePointer(to: &done) { done in
            // This is safe, because only one iteration writes to each index and to the result of the other work.
            nonisolated(unsafe) let target = buffer
            nonisolated(unsafe) let done = done
            // There are many more pieces than cores, so that no core waits long for a core that is busy with other work.
            let pieces = min(items.count, 64)
            DispatchQueue.concurrentPerform(iterations: pieces + 1) { iteration in
                guard iteration > 0 else {
                    done.pointee = Result { () throws(MLSError) in try work() }
                    return
                }
                let piece = iteration - 1
                for index in (items.count * piece / pieces)..<(items.count * (piece + 1) / pieces) {
                    target[index] = Result { () throws(MLSError) in try transform(items[index]) }
                }
            }
        }
        count = items.count
    }
    guard let done else { throw .internalError }
    let finished = try done.get()
    for result in results {
        guard let result else { throw .internalError }
        outputs.append(try result.get())
    }
    return (finished, outputs)
}
