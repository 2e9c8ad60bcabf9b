import Foundation
import TestSupport
import Testing

@testable import kith

@Suite("Files on the command line", .timeLimit(.minutes(5))) struct FileCommandTests {
    @Test("are sent, listed and saved, and a text that is too long arrives as a file")
    func files() async throws {
        try await withAnnAndBob(storesFiles: true) { ann, bob, _ in
            let content = String(repeating: "0123456789", count: 50_000)
            let url = ann.folder.appending(path: "numbers.txt")
            try Data(content.utf8).write(to: url)
            let sent = try await ann.run("send", "Bob", "--file", url.path, "--caption", "here", "--json")
            #expect(sent.code == 0, "\(sent.complaints)")
            #expect(sent.objects.first?["text"] as? String == "here")
            let piped = try await ann.run(
                "send", "Bob", "--file", "-", "--name", "../pipe.bin", input: "from a pipe")
            #expect(piped.code == 0, "\(piped.complaints)")
            let long = try await ann.run("send", "Bob", input: content)
            #expect(long.code == 0, "\(long.complaints)")
            #expect(try await bob.run("files", "--auto-download", "off").code == 0)
            try await bob.listen { try await bob.run("files", "--json").objects.count == 3 }
            let listed = try await bob.run("files", "Ann", "--json").objects
            #expect(listed.map { $0["name"] as? String } == ["text.txt", "pipe.bin", "numbers.txt"])
            #expect(listed.map { $0["size"] as? Int } == [500_000, 12, 500_000])
            #expect(listed.allSatisfy { $0["state"] as? String == "atRelay" })
            for object in listed {
                let number = try #require(object["seq"] as? Int)
                let saved = try await bob.run("get", "Ann", "\(number)", "--save-to", bob.folder.path, "--json")
                #expect(saved.code == 0, "\(saved.complaints)")
            }
            func text(_ name: String) throws -> String {
                String(decoding: try Data(contentsOf: bob.folder.appending(path: name)), as: UTF8.self)
            }
            #expect(try text("numbers.txt") == content)
            #expect(try text("pipe.bin") == "from a pipe\n")
            #expect(try text("text.txt") == content)
            let attributes = try FileManager.default.attributesOfItem(
                atPath: bob.folder.appending(path: "numbers.txt").path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try await bob.run("get", "Ann", "9999").code == 1)
            // Counting back skips messages without files.
            #expect(try await ann.run("send", "Bob", "only a text").code == 0)
            try await bob.hear("only a text")
            for (number, name) in [("-1", "text (2).txt"), ("-3.1", "numbers (2).txt")] {
                let saved = try await bob.run("get", "Ann", number, "--save-to", bob.folder.path)
                #expect(saved.lines == [bob.folder.appending(path: name).path], "\(saved.complaints)")
            }
            let tooFar = try await bob.run("get", "Ann", "-4")
            #expect(tooFar.code == 1 && tooFar.complaints == ["kith: there is no file -4 here (kith files)"])
        }
    }

    @Test("pictures have a size and a preview, which is saved without a download")
    func previews() async throws {
        try await withAnnAndBob(storesFiles: true) { ann, bob, _ in
            let pictures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "ImageMetadataTests/Pictures")
            let small = try Data(contentsOf: pictures.appending(path: "restarts.jpg"))
            let tool = ann.folder.appending(path: "vipsthumbnail")
            let script = "#!/bin/sh\nexec /bin/cat '\(pictures.path)/restarts.jpg'\n"
            try Data(script.utf8).write(to: tool)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: tool.path)
            // A PNG file that nothing decodes, and that is too large for a message.
            var picture: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13] + Array("IHDR".utf8)
            picture += [0, 0, 2, 0x80, 0, 0, 1, 0xe0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0] + Array("IDAT".utf8)
            picture += [UInt8](repeating: 7, count: 65_540) + [0, 0, 0, 0] + Array("IEND".utf8) + [0, 0, 0, 0]
            let url = ann.folder.appending(path: "map.png")
            try Data(picture).write(to: url)
            #expect(try await bob.run("files", "--auto-download", "off").code == 0)
            let environment = ["PATH": ann.folder.path]
            let plain = try await ann.run(
                ["send", "Bob", "--file", url.path, "--no-preview"], environment: environment)
            #expect(plain.code == 0, "\(plain.complaints)")
            // A busy machine may not make the preview in time.
            var count = 1
            try await eventually {
                let sent = try await ann.run(["send", "Bob", "--file", url.path], environment: environment)
                #expect(sent.code == 0, "\(sent.complaints)")
                count += 1
                try await bob.listen { try await bob.run("files", "--json").objects.count == count }
                return try await bob.run("files", "--json").objects.first?["preview"] != nil
            }
            let listed = try await bob.run("files", "Ann", "--json").objects
            #expect(listed.first?["preview"] as? String == small.base64EncodedString())
            #expect(listed.last?["preview"] == nil)
            #expect(listed.allSatisfy { $0["width"] as? Int == 640 && $0["height"] as? Int == 480 })
            let line = try await bob.run("history", "Ann").lines.last
            #expect(line?.contains("Ann sent “map.png”, a picture of 640×480, 64 KiB") == true, "\(line ?? "")")
            let saved = try await bob.run("get", "Ann", "-1", "--preview", "--save-to", bob.folder.path)
            #expect(saved.lines == [bob.folder.appending(path: "map (preview).jpg").path], "\(saved.complaints)")
            #expect(try Data(contentsOf: bob.folder.appending(path: "map (preview).jpg")) == small)
            let none = try await bob.run("get", "Ann", "-\(count)", "--preview")
            #expect(none.code == 1 && none.complaints.first?.contains("the message has no preview") == true)
        }
    }

    @Test("are refused with one sentence if they cannot be read, or an option does not fit")
    func refused() async throws {
        try await withAnnAndBob { ann, _, _ in
            let missing = try await ann.run("send", "Bob", "--file", "/nowhere/at/all")
            #expect(missing.code == 1 && missing.complaints.count == 1, "\(missing.complaints)")
            let folder = try await ann.run("send", "Bob", "--file", "/")
            #expect(folder.code == 1 && folder.complaints.count == 1, "\(folder.complaints)")
            for arguments in [
                ["send", "Bob", "text", "--caption", "a"], ["send", "Bob", "text", "--file", "a"],
                ["send", "Bob", "--file", "-"], ["files", "--auto-download", "5MB"], ["get", "Bob", "x"],
            ] {
                #expect(try await ann.run(arguments).code == 64, "\(arguments)")
            }
        }
    }

    @Test("ctrl-C leaves an upload to the next process, and the file arrives")
    func interrupted() async throws {
        try await withTemporaryFolder { folder in
            let relay = try await StormRelay(in: folder)
            let (ann, bob) = (try await CommandPerson("Ann", in: folder), try await CommandPerson("Bob", in: folder))
            let invite = try await ann.run("invite", "--relay", relay.address, "--pin", relay.pin)
            #expect(try await bob.run("join", try #require(invite.lines.first)).code == 0)
            #expect(try await ann.run("send", "Bob", "hello").code == 0)
            try await bob.hear("hello")
            await relay.kill()
            let url = ann.folder.appending(path: "film.bin")
            try Data(repeating: 5, count: 6_000_000).write(to: url)
            let sending = try ann.start(["send", "Bob", "--file", url.path])
            try await eventually {
                try await ann.run("files", "--json").objects.contains { $0["upload"] as? Bool == true }
            }
            sending.signal(SIGINT)
            #expect(await sending.exitCode() == 130)
            #expect(
                await sending.complaintsLeft().contains { $0.contains("the rest is sent when the profile is open") })
            try await relay.start()
            let process = try ann.start(["listen", "--timeout", "600s"])
            try await bob.listen { try await bob.run("files", "--json").objects.count == 1 }
            process.signal(SIGTERM)
            _ = await process.exitCode()
            await relay.kill()
        }
    }

    @Test("are sent and downloaded by the process that has the profile open")
    func owner() async throws {
        try await withAnnAndBob(storesFiles: true) { ann, bob, _ in
            let url = ann.folder.appending(path: "film.bin")
            try Data(repeating: 5, count: 6_000_000).write(to: url)
            #expect(try await bob.run("files", "--auto-download", "off").code == 0)
            let owners = [try ann.start(["listen"]), try bob.start(["listen"])]
            try await eventually { try await ann.run("status", "--json").objects.first?["open"] as? Bool != false }
            let sent = try await ann.run("send", "Bob", "--file", url.path, "--json")
            #expect(sent.code == 0, "\(sent.complaints)")
            try await eventually { try await bob.run("files", "--json").objects.count == 1 }
            let seq = try #require(try await bob.run("files", "--json").objects.first?["seq"] as? Int)
            let saved = try await bob.run("get", "Ann", "\(seq)", "--save-to", bob.folder.path)
            #expect(saved.code == 0, "\(saved.complaints)")
            #expect(try Data(contentsOf: bob.folder.appending(path: "film.bin")).count == 6_000_000)
            for owner in owners {
                owner.signal(SIGTERM)
                _ = await owner.exitCode()
            }
        }
    }

    @Test("a download of another process ends the command in time if it makes no progress")
    func stuck() async throws {
        try await withTemporaryFolder { folder in
            let relay = try await StormRelay(in: folder)
            let (ann, bob) = (try await CommandPerson("Ann", in: folder), try await CommandPerson("Bob", in: folder))
            let invite = try await ann.run("invite", "--relay", relay.address, "--pin", relay.pin)
            #expect(try await bob.run("join", try #require(invite.lines.first)).code == 0)
            #expect(try await bob.run("files", "--auto-download", "off").code == 0)
            let owner = try bob.start(["listen"])
            let url = ann.folder.appending(path: "film.bin")
            try Data(repeating: 5, count: 100_000).write(to: url)
            #expect(try await ann.run("send", "Bob", "--file", url.path).code == 0)
            try await eventually { try await bob.run("files", "--json").objects.count == 1 }
            let seq = try #require(try await bob.run("files", "--json").objects.first?["seq"] as? Int)
            await relay.kill()
            let late = try await bob.run("get", "Ann", "\(seq)", "--save-to", bob.folder.path, "--timeout", "1s")
            #expect(late.code == 4, "\(late.complaints)")
            #expect(late.complaints.contains { $0.contains("no progress within 1s") }, "\(late.complaints)")
            owner.signal(SIGTERM)
            _ = await owner.exitCode()
        }
    }
}
