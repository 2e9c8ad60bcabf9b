import KithWire
import Testing

@testable import KithRelay

@Suite("Windows of entry ids")
struct EntryIDWindowTests {
    @Test("an id is known for at least its lifetime, and at most about twice as long")
    func window() {
        var limits = RelayLimits()
        limits.entryIDSeconds = 1
        var window = EntryIDWindow(EntryIDWindow.Bounds(limits), uptimeMs: 0)
        let ids = (0..<50).map { _ in EntryID.random() }
        for (index, id) in ids.enumerated() {
            let now = UInt64(index) * 100
            window.insert(id, seq: UInt64(index), uptimeMs: now)
            for (older, id) in ids[...index].enumerated() where now - UInt64(older) * 100 <= 1000 {
                #expect(window.seq(of: id) == UInt64(older))
            }
        }
        #expect(window.seq(of: ids[0]) == nil)
        #expect(window.count <= 21)
    }

    @Test("a window never holds more ids than its bound, and shrinking leaves the newest")
    func windowBounds() {
        var limits = RelayLimits()
        limits.channelEntries = 100
        let bounds = EntryIDWindow.Bounds(limits)
        let known = (1...300).map { (id: EntryID.random(), seq: UInt64($0)) }
        var window = EntryIDWindow(bounds, uptimeMs: 0, known: known)
        #expect(window.count == 100)
        #expect(window.seq(of: known[199].id) == nil && window.seq(of: known[200].id) == 201)
        var ids = known
        for seq: UInt64 in 301...1000 {
            ids.append((.random(), seq))
            window.insert(ids[ids.count - 1].id, seq: seq, uptimeMs: 0)
            #expect(window.count <= 100)
            for (id, seq) in ids.suffix(50) { #expect(window.seq(of: id) == seq) }
        }
        while window.canShrink { window.shrink() }
        #expect(window.count == 50)
        for (id, seq) in ids.suffix(50) { #expect(window.seq(of: id) == seq) }
    }
}
