import Foundation
import ImageMetadata
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// Previews by programs that are honest, broken or hostile.
@Suite(.timeLimit(.minutes(5))) struct PreviewTests {
    /// A small picture of 24×16 pixels.
    private static func small(_ name: String = "restarts.jpg") throws -> [UInt8] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return Array(try Data(contentsOf: tests.appending(path: "ImageMetadataTests/Pictures/\(name)")))
    }

    /// A PNG file that is too large for a message, with a text chunk. Nothing decodes it.
    private static func large(width: UInt32 = 640, height: UInt32 = 480) -> [UInt8] {
        func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xff) } }
        func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
            number(UInt32(content.count)) + Array(type.utf8) + content + [0, 0, 0, 0]
        }
        return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
            + chunk("IHDR", number(width) + number(height) + [8, 2, 0, 0, 0]) + chunk("tEXt", Array("a secret".utf8))
            + chunk("IDAT", fileBytes(100_000)) + chunk("IEND", [])
    }

    /// Runs `body` with a tool that is a shell script, a picture, and the folder of both.
    private static func withTool(
        _ script: String, named name: String = "vipsthumbnail",
        _ body: (_ tool: PreviewTool, _ picture: String, _ folder: URL) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let program = folder.appending(path: name)
            try Data(try small()).write(to: folder.appending(path: "small.jpg"))
            try Data("#!/bin/sh\ncd '\(folder.path)'\n\(script)\n".utf8).write(to: program)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: program.path)
            let picture = folder.appending(path: "picture.png")
            try Data(large()).write(to: picture)
            try await body(try #require(PreviewTool(searching: folder.path)), picture.path, folder)
        }
    }

    private static func preview(
        _ tool: PreviewTool?, _ picture: String, longest: Duration = .seconds(120)
    ) -> [UInt8]? {
        (try? UploadSource(path: picture, cleans: true)).flatMap {
            PreviewMaker(tool: tool, longest: longest, total: .seconds(120)).preview(of: $0)
        }
    }

    @Test("the program gets the picture without metadata, and nothing of this process")
    func confined() async throws {
        try await Self.withTool("exit") { _, _, folder in
            let secret = folder.appending(path: "kept open")
            try Data("secret".utf8).write(to: secret)
            let handle = try FileHandle(forReadingFrom: secret)
            defer { try? handle.close() }
            func run(_ script: String, sending input: [UInt8] = [1]) -> String? {
                ConfinedProcess.output(
                    of: "/bin/sh", ["-c", script], environment: PreviewTool.environment, until: .now + .seconds(120),
                    input: input
                ).map { String(decoding: $0, as: UTF8.self) }
            }
            // Files in blocks of 512 bytes, and memory in KiB.
            #expect(run("ulimit -t; ulimit -v; ulimit -n; ulimit -f; ulimit -c") == "5\n1048576\n32\n128\n0\n")
            #expect(run("pwd; ulimit -t 1000 || echo no") == "/\nno\n")
            let names = run("/usr/bin/env")?.split(separator: "\n").map { $0.prefix { $0 != "=" } } ?? []
            #expect(
                Set(names).subtracting(["LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"]).allSatisfy { $0.hasPrefix("VIPS_") })
            let files = run("/bin/ls -l /proc/self/fd") ?? ""
            #expect(files.contains("memfd:kith") && !files.contains("kept open"), "\(files)")
            #expect(run("/usr/bin/wc -c", sending: fileBytes(300_000)) == "300000\n")
        }
    }

    @Test("an honest program's picture is the preview, without metadata")
    func honest() async throws {
        try await Self.withTool("/bin/cat > /dev/null; /bin/cat small.jpg; echo hidden") { tool, picture, _ in
            let small = try Self.small()
            #expect(Self.preview(tool, picture) == small)
        }
        // The picture arrives without its text chunk: 17 bytes of content less, and 12 of the chunk's own.
        let count = Self.large().count - 8 - 12
        let script = "[ $(/usr/bin/wc -c) = \(count) ] && /bin/cat small.jpg"
        try await Self.withTool(script) { tool, picture, _ in
            let small = try Self.small()
            #expect(Self.preview(tool, picture) == small)
        }
    }

    @Test(
        "a program that fails or is hostile costs only the preview",
        arguments: [
            // Endless output, no answer, wrong answers, a signal, an end without reading, more than is allowed.
            "exec /usr/bin/yes", "exit 1", "/bin/cat", "echo no picture", "/bin/cat small.jpg | /usr/bin/head -c 100",
            "kill -9 $$", "exec 0<&-; exec 1>&-", "exec /usr/bin/head -c 70000 /dev/zero",
        ])
    func hostile(script: String) async throws {
        try await Self.withTool(script) { tool, picture, _ in #expect(Self.preview(tool, picture) == nil) }
    }

    @Test("a program that hangs is killed, with its children")
    func hangs() async throws {
        let script = ": > started; /bin/sleep 1000 & exec /bin/sleep 1000"
        try await Self.withTool(script) { tool, picture, folder in
            // The program may be killed before it has begun. Then there is nothing to look for.
            #expect(Self.preview(tool, picture, longest: .milliseconds(500)) == nil)
            func running() -> [String] {
                let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
                return numbers.filter { Int($0) != nil }.filter {
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/cwd")) == folder.path
                }
            }
            try await eventually("nothing runs in the folder") { running().isEmpty }
        }
    }

    @Test("a picture that breaks its format, another file and a missing program lead to no preview")
    func noPicture() async throws {
        try await Self.withTool("/bin/cat small.jpg") { tool, picture, folder in
            #expect(Self.preview(nil, picture) == nil)
            let broken = folder.appending(path: "broken.png")
            try Data(Self.large().dropLast(20)).write(to: broken)
            #expect(Self.preview(tool, broken.path) == nil)
            let text = folder.appending(path: "text.png")
            try Data("no picture".utf8).write(to: text)
            #expect(Self.preview(tool, text.path) == nil)
            #expect(Self.preview(tool, folder.appending(path: "nothing").path) == nil)
            #expect(Self.preview(PreviewTool(kind: .vips, path: "/nowhere/vipsthumbnail"), picture) == nil)
        }
    }

    @Test("a program is taken only from absolute folders that not everybody may change")
    func searching() async throws {
        try await Self.withTool("exit", named: "convert") { _, _, folder in
            let path = folder.path
            #expect(PreviewTool(searching: path)?.path == "\(path)/convert")
            #expect(PreviewTool(searching: ".:relative::\(path)")?.path == "\(path)/convert")
            #expect(PreviewTool(searching: "") == nil && PreviewTool(searching: ".") == nil)
            #expect(PreviewTool(searching: "/nowhere:\(path)/convert") == nil)
            // Debian's `convert` is a symbolic link, so links are followed; one in a circle leads nowhere.
            let links = folder.appending(path: "links")
            try FileManager.default.createDirectory(at: links, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: "\(links.path)/vipsthumbnail", withDestinationPath: "vipsthumbnail")
            #expect(PreviewTool(searching: "\(links.path):\(path)")?.kind == .convert)
            try FileManager.default.createSymbolicLink(
                atPath: "\(links.path)/magick", withDestinationPath: "../convert")
            #expect(PreviewTool(searching: "\(path):\(links.path)")?.path == "\(links.path)/magick")
            for (changed, mode) in [(links.path, 0o777), ("\(path)/convert", 0o602), ("\(path)/convert", 0o600)] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: changed)
            }
            #expect(PreviewTool(searching: "\(path):\(links.path)") == nil)
        }
    }

    @Test("the programs of this machine make small pictures of every format", arguments: PreviewTool.Kind.allCases)
    func real(kind: PreviewTool.Kind) async throws {
        // The folders of the system's own programs. A machine may lack the program.
        let path = "/usr/bin/\(kind.rawValue)"
        guard access(path, X_OK) == 0 else { return }
        try await withTemporaryFolder { folder in
            for name in ["restarts.jpg", "progressive.jpg", "plain.png", "plain.webp", "plain.gif", "animation.gif"] {
                let url = folder.appending(path: name)
                try Data(try Self.small(name)).write(to: url)
                let preview = try #require(Self.preview(PreviewTool(kind: kind, path: path), url.path), "\(name)")
                #expect(PictureSize(of: preview) == PictureSize(width: 24, height: 16), "\(name)")
            }
        }
    }

    @Test("a preview arrives with the message, is saved without a download, and is left out on request")
    func sent() async throws {
        try await withFilePeople { alice, bob, _ in
            try await Self.withTool("/bin/cat > /dev/null; /bin/cat small.jpg") { tool, picture, folder in
                let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
                try await bob.profile.files.setAutoDownload(upTo: 0)
                var files = alice.profile.files
                files.makePreviewMaker = {
                    PreviewMaker(tool: tool, longest: .seconds(120), total: .seconds(120))
                }
                let url = URL(filePath: picture)
                try await files.send([.file(url), .file(url).withoutPreview(), .asIs(url)], to: toBob)
                let received = try await bob.received(toAlice, count: 3)
                #expect(received.map(\.file.hasPreview) == [true, false, true])
                #expect(received.allSatisfy { $0.file.dimensions == PictureDimensions(width: 640, height: 480) })
                let seq = try #require(received[0].message.seq)
                let preview = try #require(try await bob.profile.files.preview(1, of: seq, in: toAlice))
                #expect(try preview.bytes == Self.small() && preview.mediaType == "image/jpeg")
                #expect(preview.dimensions == PictureDimensions(width: 24, height: 16))
                #expect(try await bob.profile.files.preview(2, of: seq, in: toAlice) == nil)
                let saved = try await bob.profile.files.savePreview(1, of: seq, in: toAlice, to: folder)
                #expect(saved?.lastPathComponent == "picture (preview).jpg")
                #expect(try FilePerson.bytes(saved) == Self.small())
                #expect(received.map(\.state) == [.atRelay, .atRelay, .atRelay])
            }
        }
    }

    @Test("a received preview that is no small picture counts as none")
    func receivedUnchecked() throws {
        for bytes in [[], Array("no picture".utf8), try Self.small("plain.png"), try Self.small("animation.webp")] {
            #expect(FilePreview(checking: bytes) == nil)
        }
        #expect(try FilePreview(checking: Self.small("plain.webp"))?.mediaType == "image/webp")
    }
}
