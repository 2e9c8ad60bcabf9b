import CSQLite
import KithWire
import TestSupport
import Testing

@testable import KithRelay

@Suite("Stores of earlier versions")
struct MigrationTests {
    @Test("a file of version 1 is migrated: channels with a shelf that were never turned become inboxes")
    func migration() async throws {
        let folder = TemporaryFolder()
        let store = try openStore(folder)
        var (log, inbox, turned) = (TestChannel(), TestChannel(), TestChannel())
        await store.mustCommit([log.create(), inbox.create(), turned.create()])
        await store.mustCommit(log.append(), inbox.append(), turned.turn())
        for channel in [inbox, turned] {
            await store.mustCommit(
                .deposit(
                    channel: channel.id, keyPackages: [keyPackage("one")], lastResort: nil, shelfVersion: 0, atMs: 1_000
                ))
        }
        await store.close()
        try folder.execute(
            """
            DROP INDEX channel_used; DROP INDEX name_renewed; DROP INDEX channel_brief; DROP INDEX key_package_deposited;
            ALTER TABLE channel DROP COLUMN used_ms;
            ALTER TABLE key_package DROP COLUMN deposited_ms; ALTER TABLE name DROP COLUMN renewed_ms;
            ALTER TABLE store DROP COLUMN clock_ms; ALTER TABLE channel DROP COLUMN kind;
            ALTER TABLE store DROP COLUMN doubted_ms; ALTER TABLE store DROP COLUMN doubt_ran_ms;
            PRAGMA user_version = 1
            """)
        #expect(throws: StoreOpenError.olderVersion(file: folder.database)) { try StoreAudit(folder: folder.path) }
        let again = try openStore(folder)
        #expect(try await again.head(of: inbox.id)?.kind == .inbox)
        #expect(try await again.head(of: log.id)?.kind == .log)
        // Rows without an age get the time of the migration.
        #expect(try await again.head(of: log.id)?.usedMs ?? 0 > 1_000_000)
        #expect(try await again.shelf(of: inbox.id).count == 1)
        #expect(try await again.discard(keyPackagesBeforeMs: 1_000_000, namesBeforeMs: 1_000_000) == false)
        #expect(try await again.shelf(of: inbox.id).count == 1)
        #expect(try await again.head(of: turned.id)?.kind == .log)
        #expect(try await again.allEntries(of: inbox.id) == inbox.entries)
        #expect(try await again.notedClock() == nil)
        var created = TestChannel()
        await again.mustCommit(created.create(), created.append())
        await again.close()
        let once = try openStore(folder)
        #expect(try await once.head(of: inbox.id)?.kind == .inbox)
        await once.close()
    }

    @Test("the noted clock of a file of version 3 is kept")
    func notedClock() async throws {
        let folder = TemporaryFolder()
        let store = try openStore(folder)
        await store.mustCommit(.noteClock(NotedClock(timeMs: 1_700_000_000_000)))
        await store.close()
        try folder.execute(
            """
            DROP INDEX channel_brief; DROP INDEX key_package_deposited;
            ALTER TABLE store DROP COLUMN doubted_ms; ALTER TABLE store DROP COLUMN doubt_ran_ms;
            PRAGMA user_version = 3
            """)
        let again = try openStore(folder)
        #expect(try await again.notedClock() == NotedClock(timeMs: 1_700_000_000_000))
        await again.mustCommit(.noteClock(NotedClock(timeMs: 5, doubt: NotedClock.Doubt(wallMs: 6, ranMs: 7))))
        await again.close()
    }
}
