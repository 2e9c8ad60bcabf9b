import Testing

@testable import kith

@Suite struct LineEditorTests {
    private func edited(_ keys: Key...) -> LineEditor {
        var editor = LineEditor()
        for key in keys { _ = editor.handle(key) }
        return editor
    }

    @Test("text is inserted at the cursor")
    func insert() {
        #expect(edited(.text("helo"), .left, .text("l")).line == "hello")
        #expect(edited(.text("b"), .home, .text("a"), .end, .text("c")).line == "abc")
        #expect(edited(.text("a"), .tab, .text("b")).line == "a b")
    }

    @Test("backspace and delete remove what a person sees as a character")
    func characters() {
        #expect(edited(.text("a👩‍👩‍👧"), .backspace).line == "a")
        #expect(edited(.text("e\u{301}"), .backspace).line == "")
        #expect(edited(.text("🇩🇪x"), .home, .delete).line == "x")
        #expect(edited(.text("宽字"), .left, .backspace).line == "字")
        #expect(edited(.backspace, .delete, .left, .right).line == "")
    }

    @Test("a typed accent joins its letter, with the cursor behind both")
    func combining() {
        let editor = edited(.text("ae"), .left, .right, .text("\u{301}"), .text("b"))
        #expect(editor.line == "ae\u{301}b")
        #expect(editor.cursor == 3)
    }

    @Test("cursor keys move by words and to line ends")
    func words() {
        #expect(edited(.text("one two  "), .deleteWord).line == "one ")
        #expect(edited(.text("one two"), .wordLeft, .deleteToStart).line == "two")
        #expect(edited(.text("one two"), .home, .wordRight, .deleteToEnd).line == "one")
        #expect(edited(.text("one two"), .home, .deleteWord, .deleteToStart).line == "one two")
    }

    @Test("an empty line is submitted where it is an answer, and not kept in the history")
    func emptyAnswer() {
        var editor = LineEditor(takesEmptyLines: true)
        #expect(editor.handle(.enter) == [.submit("")])
        _ = editor.handle(.text("a"))
        _ = editor.handle(.enter)
        #expect(editor.handle(.enter) == [.submit("")])
        _ = editor.handle(.up)
        #expect(editor.line == "a")
    }

    @Test("Enter submits the line, and ignores an empty one")
    func submit() {
        var editor = edited(.text("hi"), .left)
        #expect(editor.handle(.enter) == [.submit("hi")])
        #expect(editor.line == "" && editor.cursor == 0)
        #expect(editor.handle(.enter) == [])
    }

    @Test("a paste submits each whole line and keeps the rest")
    func paste() {
        var editor = edited(.text("> "))
        #expect(editor.handle(.paste("one\r\ntwo\n\nthree")) == [.submit("> one"), .submit("two")])
        #expect(editor.line == "three")
    }

    @Test("a paste stays unchanged except for control characters")
    func pastedControls() {
        for keepsLineBreaks in [false, true] {
            var editor = LineEditor(keepsLineBreaks: keepsLineBreaks)
            _ = editor.handle(.paste("a\u{1B}[2Jb\tc\u{7F}\u{9B}\u{200B}\u{200D}\u{200F}\u{2028}d"))
            #expect(editor.line == "a[2Jb\tc\u{200B}\u{200D}\u{200F}\u{2028}d")
        }
    }

    @Test("the history goes back and forth, and keeps the draft")
    func history() {
        var editor = LineEditor()
        for line in ["one", "two", "two"] {
            _ = editor.handle(.text(line))
            _ = editor.handle(.enter)
        }
        _ = editor.handle(.text("draft"))
        var seen: [String] = []
        for key: Key in [.up, .up, .up, .down, .down, .down] {
            _ = editor.handle(key)
            seen.append(editor.line)
        }
        #expect(seen == ["two", "one", "one", "two", "draft", "draft"])
        #expect(editor.cursor == 5)
    }

    @Test("a line from the history can be changed without changing the history")
    func changedHistory() {
        var editor = edited(.text("one"), .enter, .up, .text("!"), .enter, .up, .up)
        #expect(editor.line == "one")
        _ = editor.handle(.down)
        #expect(editor.line == "one!")
    }

    @Test("the history is bounded")
    func boundedHistory() {
        var editor = LineEditor()
        for number in 0..<(LineEditor.remembered + 10) {
            _ = editor.handle(.text("\(number)"))
            _ = editor.handle(.enter)
        }
        for _ in 0..<(LineEditor.remembered + 100) { _ = editor.handle(.up) }
        #expect(editor.line == "10")
    }

    @Test("ctrl-C, ctrl-D and other control keys lead to their actions")
    func actions() {
        var editor = LineEditor()
        #expect(editor.handle(.interrupt) == [.interrupt])
        #expect(editor.handle(.endOfInput) == [.endOfInput])
        #expect(editor.handle(.suspend) == [.suspend])
        #expect(editor.handle(.redraw) == [.redraw])
        _ = editor.handle(.text("ab"))
        _ = editor.handle(.home)
        #expect(editor.handle(.endOfInput) == [])
        #expect(editor.line == "b")
        _ = editor.handle(.end)
        #expect(editor.handle(.endOfInput) == [])
        #expect(editor.line == "b")
    }

    @Test("ctrl-C clears a line, and leaves on an empty one")
    func interrupt() {
        var editor = LineEditor()
        _ = editor.handle(.text("half a thought"))
        #expect(editor.handle(.interrupt) == [])
        #expect(editor.line == "")
        #expect(editor.handle(.interrupt) == [.interrupt])
    }

    @Test("where line breaks are kept, a paste is one text, and only Enter submits it")
    func keptLineBreaks() {
        var editor = LineEditor(keepsLineBreaks: true)
        _ = editor.handle(.text("> "))
        #expect(editor.handle(.paste("one\r\n\u{1B}two\n\nthree\n\n")) == [])
        #expect(editor.handle(.lineBreak) == [])
        _ = editor.handle(.text("four"))
        #expect(editor.handle(.enter) == [.submit("> one\ntwo\n\nthree\nfour")])
        #expect(editor.handle(.paste("\n")) == [])
        #expect(editor.handle(.enter) == [])
        _ = editor.handle(.up)
        #expect(editor.line.hasSuffix("three\nfour"))
    }

    @Test("a line refuses more than a message may hold")
    func longest() {
        var editor = LineEditor()
        #expect(editor.handle(.paste(String(repeating: "x", count: LineEditor.longest))) == [])
        #expect(editor.handle(.text("y")) == [.refused])
        #expect(editor.text.count == LineEditor.longest)
    }

    @Test("the cursor stays inside the line for any sequence of keys")
    func anyKeys() {
        let keys: [Key] = [
            .text("a"), .text("宽"), .text("\u{301}"), .text("👩"), .text("\u{200D}"), .text("🇩"), .text("\u{200B}"),
            .backspace, .delete,
            .left,
            .right, .wordLeft, .wordRight, .home, .end, .up, .down, .tab, .deleteToStart, .deleteToEnd, .deleteWord,
            .enter, .endOfInput, .paste("x\ny"),
        ]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var editor = LineEditor()
            for _ in 0..<100 {
                guard let key = keys.randomElement(using: &generator) else { return }
                _ = editor.handle(key)
                #expect((0...editor.text.count).contains(editor.cursor))
                #expect(Array(editor.line) == editor.text)
            }
        }
    }
}
