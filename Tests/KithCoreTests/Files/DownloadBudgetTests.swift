import Testing

@testable import KithCore

@Suite struct DownloadBudgetTests {
    private let ann = ContactID(rawValue: 1)
    private let bob = ContactID(rawValue: 2)
    private let day: UInt64 = 86_400_000

    @Test("a contact has 64 files a day, and no other contact loses any by it")
    func files() throws {
        var budget = DownloadBudget()
        let first = (0..<4).map { _ in budget.take(files: 16, bytes: 1, from: ann, at: 5 * day) }
        #expect(first == [true, true, true, true])
        let rest = [ann, bob].map { budget.take(files: 1, bytes: 1, from: $0, at: 6 * day - 1) }
        #expect(rest == [false, true])
        var stored = try DownloadBudget(stored: budget.encoded)
        #expect(stored == budget)
        let later = [5 * day, 6 * day].map { stored.take(files: 1, bytes: 1, from: ann, at: $0) }
        #expect(later == [false, true])
    }

    @Test("a contact has 64 MiB a day, and a message that is too large takes nothing of it")
    func bytes() {
        var budget = DownloadBudget()
        let taken = [64 << 20 | 1, 64 << 20, 1].map { budget.take(files: 1, bytes: $0, from: ann, at: 0) }
        #expect(taken == [false, true, false])
    }

    @Test(
        "only a key that is compared, or from the contact's own invite, allows automatic downloads",
        arguments: [(Trust.unverified, false), (.usedMyInvite, false), (.invite, true), (.compared, true)])
    func trust(trust: Trust, isAllowed: Bool) {
        #expect(trust.allowsAutomaticDownloads == isAllowed)
    }
}
