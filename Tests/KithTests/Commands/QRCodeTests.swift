import Foundation
import TestSupport
import Testing

@testable import kith

@Suite struct QRCodeTests {
    /// The path of zbar's reader; `nil` on a machine without it.
    static let reader = ["/usr/bin/zbarimg", "/usr/local/bin/zbarimg", "/opt/homebrew/bin/zbarimg"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    static var hasReader: Bool {
        if reader == nil { print("zbarimg is missing, so no QR code is read back (apt-get install zbar-tools)") }
        return reader != nil
    }

    @Test(
        "a QR reader decodes the drawn code",
        .enabled(if: hasReader),
        arguments: ["kith:" + String(repeating: "Ab9-_", count: 60), String(repeating: "01234", count: 12), "世界 🙂"])
    func readBack(text: String) async throws {
        let code = try #require(QRCode(text))
        let picture = Self.picture(of: code.drawn(colours: false))
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "code.pbm")
            try Data(picture.utf8).write(to: file)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: try #require(Self.reader))
            process.arguments = ["--raw", "-q", file.path]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let read = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(read == text + "\n")
        }
    }

    @Test("colours change only colours, and all lines are equally long")
    func colours() throws {
        let code = try #require(QRCode("kith:abc"))
        let plain = code.drawn(colours: false)
        #expect(plain.count == code.lines)
        #expect(plain.allSatisfy { $0.count == code.columns })
        for (coloured, line) in zip(code.drawn(colours: true), plain) {
            #expect(coloured == "\u{1B}[38;5;231;48;5;16m\(line)\u{1B}[0m")
        }
    }

    @Test("a code is left out of a terminal that can't show it with the lines around it")
    func size() throws {
        let code = try #require(QRCode("kith:" + String(repeating: "Ab9-_", count: 40)))
        func problem(_ columns: Int, _ lines: Int) -> String? {
            QRCodeText.problem(of: code, otherLines: 8, columns: columns, lines: lines)
        }
        #expect(problem(code.columns, code.lines + 8) == nil)
        #expect(problem(.max, .max) == nil)
        let words =
            "the window is too small for the QR code, which needs \(code.columns) columns and \(code.lines + 8) lines"
        #expect(problem(80, 24) == words)
        #expect(problem(code.columns - 1, 100) == words)
        #expect(problem(200, code.lines + 7) == words)
    }

    @Test("on a terminal of 80x24, kith host prints no QR code but how to see it", .enabled(if: Tmux.isThere))
    func host() async throws {
        try await withTemporaryFolder { folder in
            let command = [
                BuiltProgram.kith.path, "host", "--listen", "127.0.0.1:0", "--my-name", "Ann", "--yes",
                "--no-passphrase",
            ]
            let home = ["KITH_HOME": folder.appendingPathComponent("home").path]
            try await Tmux.run(command, environment: home) { terminal in
                let screen = try await terminal.wait { $0.joined().contains("waiting for somebody to join") }
                #expect(screen.joined(separator: " ").contains("[the window is too small for the QR code"))
                #expect(!screen.joined().contains("█"))
                try await terminal.press("C-c")
                try await terminal.wait { $0.last?.contains("ended") == true }
            }
        }
    }

    @Test("a text that is too long makes no QR code")
    func tooLong() { #expect(QRCode(String(repeating: "x", count: 3_000)) == nil) }

    /// Renders light characters on a dark ground as a PBM image, with eight dots per module.
    private static func picture(of lines: [String]) -> String {
        let scale = 8
        var rows: [String] = []
        for line in lines {
            for half in [["█", "▀"], ["█", "▄"]] as [[Character]] {
                let row = line.map { String(repeating: half.contains($0) ? "0" : "1", count: scale) }.joined()
                rows += Array(repeating: row, count: scale)
            }
        }
        return "P1\n\(rows[0].count) \(rows.count)\n" + rows.joined(separator: "\n") + "\n"
    }
}
