import Crypto
import Synchronization

/// A number that several threads add to.
final class SharedCount: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    func add(_ more: Int) { count.add(more, ordering: .sequentiallyConsistent) }
}

func sha1(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.SHA1.hash(data: bytes)) }
