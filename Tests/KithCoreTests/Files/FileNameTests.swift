import TestSupport
import Testing

@testable import KithCore

@Suite struct FileNameTests {
    @Test(
        "a sender's name becomes one harmless path component",
        arguments: [
            ("photo.jpg", "photo.jpg"), ("../../etc/passwd", "passwd"), ("/etc/passwd", "passwd"),
            ("C:\\a\\b.txt", "b.txt"),
            ("..", "file"), (".", "file"), ("", "file"), ("/", "file"), (".bashrc", "bashrc"), ("...a", "a"),
            ("a\u{0}b", "ab"), ("a\nb\u{1B}[31m", "ab[31m"), ("annexe\u{202E}gpj.exe", "annexegpj.exe"),
            ("a\u{2066}b\u{200B}\u{FEFF}c", "abc"), ("a\u{2028}b", "ab"), ("  a .txt. ", "a .txt"),
            ("👩\u{200D}🚀.png", "👩\u{200D}🚀.png"), ("übung.pdf", "übung.pdf"), ("\u{202E}", "file"),
            ("../\u{E0020}../\u{E0020}a", "a"), ("\u{600}/etc/passwd", "passwd"), ("\u{600}/", "file"),
            ("a/\u{301}b", "\u{301}b"), ("..\u{600}/..\u{600}", "file"), (".\u{E0020}.", "file"),
            ("\u{600}.bashrc", "bashrc"), ("a\u{600}\\b", "b"), ("-rf", "_-rf"), ("\u{200B}-rf", "_-rf"),
        ])
    func cleanNames(name: String, clean: String) {
        #expect(Array(FileName.clean(name).utf8) == Array(clean.utf8))
        #expect(Array(FileName.clean(clean).utf8) == Array(clean.utf8))
    }

    @Test("any sender's name becomes one component, and a clean name stays as it is")
    func randomNames() {
        let scalars: [Unicode.Scalar] = [
            "/", "\\", ".", ".", "-", " ", "\u{0}", "\u{301}", "\u{600}", "\u{E0020}", "\u{200D}", "\u{202E}",
            "\u{1F680}", "a",
        ]
        var generator = SeededGenerator(seed: 11)
        for length in 0..<2_000 {
            var name = String.UnicodeScalarView()
            for _ in 0..<length % 400 {
                let any = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &generator))
                name.append(
                    Bool.random(using: &generator) ? any ?? "b" : scalars.randomElement(using: &generator) ?? "a")
            }
            let clean = FileName.clean(String(name))
            #expect(FileName.isOneComponent(clean) && clean.utf8.count <= FileName.longest)
            #expect(clean.utf8.first != UInt8(ascii: ".") && clean.utf8.first != UInt8(ascii: "-"))
            #expect(Array(FileName.clean(clean).utf8) == Array(clean.utf8))
            #expect(FileName.isOneComponent(FileName.numbered(clean, 2)))
        }
    }

    @Test(
        "a path, a folder or an empty text is not one component",
        arguments: ["", ".", "..", "/", "a/b", "a/\u{E0020}", "\u{600}/a", "a\u{0}"])
    func components(name: String) {
        #expect(!FileName.isOneComponent(name))
    }

    @Test("a long name is shortened between characters and keeps its ending")
    func longNames() {
        let clean = FileName.clean(String(repeating: "é", count: 300) + ".jpeg")
        #expect(clean.utf8.count <= 255 && clean.hasSuffix("é.jpeg"))
        let numbered = FileName.numbered(clean, 12)
        #expect(numbered.utf8.count <= 255 && numbered.hasSuffix("é (12).jpeg"))
        #expect(FileName.clean(String(repeating: "a", count: 300)).utf8.count == 255)
    }

    @Test(
        "a number stands before the ending",
        arguments: [
            ("a.txt", 1, "a.txt"), ("a.txt", 2, "a (2).txt"), ("archive.tar.gz", 3, "archive.tar (3).gz"),
            ("README", 2, "README (2)"),
        ])
    func numbers(name: String, number: Int, numbered: String) {
        #expect(FileName.numbered(name, number) == numbered)
    }

    @Test("a preview has the file's name with an addition, and the ending of its format")
    func previews() {
        #expect(FileName.ofPreview(of: "a.b.png", isWebP: false) == "a.b (preview).jpg")
        #expect(FileName.ofPreview(of: "README", isWebP: true) == "README (preview).webp")
        let long = FileName.ofPreview(of: String(repeating: "é", count: 120) + ".png", isWebP: true)
        #expect(long.utf8.count <= 255 && long.hasSuffix("é (preview).webp"))
    }
}
