import Testing

@testable import KithSupport

@Suite("Token buckets")
struct TokenBucketTests {
    @Test("a bucket lets its burst through, then one at a time, and fills up again")
    func bucket() {
        var bucket = TokenBucket(burst: 3, nanosecondsEach: 100)
        for _ in 0..<3 { #expect(bucket.take(atNanoseconds: 1000) == 0) }
        #expect(bucket.take(atNanoseconds: 1000) == 100)
        #expect(bucket.take(atNanoseconds: 1099) == 1)
        #expect(bucket.take(atNanoseconds: 1100) == 0)
        #expect(bucket.take(atNanoseconds: 1100) == 100)
        for _ in 0..<3 { #expect(bucket.take(atNanoseconds: 5000) == 0) }
        #expect(bucket.take(atNanoseconds: 5000) == 100)
    }

    @Test("a bucket of the largest size that can be asked for counts on")
    func largestBucket() {
        var bucket = TokenBucket(burst: Int(UInt32.max), nanosecondsEach: Int64(UInt32.max) * 1_000_000)
        // Even its bound is past what the clock can say.
        for _ in 0..<500 { #expect(bucket.take(atNanoseconds: 1_000_000_000) == 0) }
        for _ in 0..<500 { _ = bucket.take(atNanoseconds: 1_000_000_000) }
        #expect(bucket.take(atNanoseconds: 1_000_000_000) > 0)
    }
}
