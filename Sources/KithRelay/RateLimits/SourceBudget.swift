import KithSupport

/// The daily budget of an address or a site. All connections of the address or site share the budget.
final class SourceBudget {
    let name: String
    /// The budget of the address's site; `nil` if there is no site, or if this budget belongs to a site.
    let site: SourceBudget?
    var connections = 0
    var buckets: Buckets

    /// The buckets of a budget. Each bucket holds one day's allowance and fills within a day.
    struct Buckets {
        var bytes: TokenBucket
        var channels: TokenBucket
        var names: TokenBucket
        var keyPackages: TokenBucket
        var blobBytes: TokenBucket

        init(_ limits: RelayLimits, times factor: Int = 1) {
            func day(_ count: Int) -> TokenBucket {
                TokenBucket(burst: count, nanosecondsEach: SourceBudget.dayNanoseconds / Int64(max(count, 1)))
                    .scaled(by: factor)
            }
            bytes = day(limits.addressMiBPerDay << 20)
            channels = day(limits.addressChannelsPerDay)
            names = day(limits.addressNamesPerDay)
            keyPackages = day(limits.addressKeyPackagesPerDay)
            blobBytes = day(limits.blobs.addressMiBPerDay << 20)
        }

        func areFull(atNanoseconds now: Int64) -> Bool {
            [bytes, channels, names, keyPackages, blobBytes].allSatisfy { $0.isFull(atNanoseconds: now) }
        }
    }

    static let dayNanoseconds: Int64 = 86_400_000_000_000

    init(_ name: String, _ buckets: Buckets, site: SourceBudget? = nil) {
        self.name = name
        self.buckets = buckets
        self.site = site
    }

    /// Returns the nanoseconds until a token is available; 0 if a token is available now. Takes no token.
    func wait(_ bucket: KeyPath<Buckets, TokenBucket>, atNanoseconds now: Int64) -> Int64 {
        max(
            buckets[keyPath: bucket].wait(atNanoseconds: now),
            site?.buckets[keyPath: bucket].wait(atNanoseconds: now) ?? 0)
    }

    /// Takes tokens, even if the budget does not have enough.
    func charge(_ count: Int, _ bucket: WritableKeyPath<Buckets, TokenBucket>, atNanoseconds now: Int64) {
        buckets[keyPath: bucket].charge(count, atNanoseconds: now)
        site?.buckets[keyPath: bucket].charge(count, atNanoseconds: now)
    }

    /// The cost of storing a payload, in bytes. A turn writes a second row, for the new epoch.
    static func cost(_ payload: Int, isTurn: Bool = false) -> Int {
        payload + (isTurn ? 2 : 1) * StoreLimits.rowBytes
    }
}
