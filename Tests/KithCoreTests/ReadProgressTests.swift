import TLSCodec
import Testing

@testable import KithCore

@Suite struct ReadProgressTests {
    private let ann = ContactID(rawValue: 1)
    private let ben = ContactID(rawValue: 2)

    @Test("a member has read everything up to a seq, but nothing before the entry that added the member")
    func readers() {
        var progress = ReadProgress()
        progress.didRead(ann, through: 7)
        progress.didAdd([ben], at: 5)
        #expect(progress.readers(of: 5) == [ann])
        progress.didRead(ben, through: 8)
        #expect([4, 5, 6, 7, 8, 9].map(progress.readers) == [[ann], [ann], [ann, ben], [ann, ben], [ben], []])
        #expect(progress[ann] == 7 && progress.joinedAt(ann) == 0 && progress.joinedAt(ben) == 5)
        // A member who is added again has not read what was said in between.
        progress.didAdd([ben], at: 12)
        #expect([6, 11, 12, 13].map(progress.readers) == [[ann], [], [], []])
    }

    @Test("stored progress is read again, also that of records that did not have the joins")
    func stored() throws {
        var progress = ReadProgress()
        progress.didAdd([ben], at: 5)
        progress.didRead(ann, through: 7)
        var writer = TLSWriter()
        writer.write(progress)
        var reader = TLSReader(writer.bytes)
        #expect(try ReadProgress(from: &reader, hasJoins: true) == progress)
        var old = TLSWriter()
        old.writeNested { writer in
            writer.write(ann.rawValue)
            writer.write(7 as UInt64)
        }
        var oldReader = TLSReader(old.bytes)
        let read = try ReadProgress(from: &oldReader, hasJoins: false)
        #expect(read.readers(of: 7) == [ann] && read.readers(of: 8).isEmpty)
    }
}
