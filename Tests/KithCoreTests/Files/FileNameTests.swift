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
        ])
    func cleanNames(name: String, clean: String) {
        #expect(FileName.clean(name) == clean)
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
}
