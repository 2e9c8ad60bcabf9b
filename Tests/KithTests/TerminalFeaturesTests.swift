import Testing

@testable import kith

@Suite struct TerminalFeaturesTests {
    @Test(
        "links are for terminals that are known to show them",
        arguments: [
            ("TERM=xterm-256color", false), ("", false), ("TERM=dumb VTE_VERSION=7600", false),
            ("TERM=xterm VTE_VERSION=7600", true), ("TERM=xterm VTE_VERSION=5000", false),
            ("TERM=xterm VTE_VERSION=x", false), ("TERM=xterm KONSOLE_VERSION=201200", true),
            ("TERM=xterm KONSOLE_VERSION=190801", false), ("TERM=xterm KITTY_WINDOW_ID=1", true),
            ("TERM=xterm-kitty", true), ("TERM=foot", true), ("TERM=alacritty", true), ("TERM=linux", false),
            ("TERM=xterm WT_SESSION=1", true), ("TERM=xterm WT_SESSION=", false), ("TERM=xterm DOMTERM=1", true),
            ("TERM=xterm TERM_PROGRAM=iTerm.app TERM_PROGRAM_VERSION=3.4.19", true),
            ("TERM=xterm TERM_PROGRAM=iTerm.app TERM_PROGRAM_VERSION=3.0.9", false),
            ("TERM=xterm TERM_PROGRAM=vscode TERM_PROGRAM_VERSION=1.90.0", true),
            ("TERM=xterm TERM_PROGRAM=vscode TERM_PROGRAM_VERSION=1.71.2", false),
            ("TERM=xterm TERM_PROGRAM=WezTerm", true), ("TERM=xterm TERM_PROGRAM=ghostty", true),
            ("TERM=xterm TERM_PROGRAM=Apple_Terminal TERM_PROGRAM_VERSION=455", false),
            // In tmux and screen, the variables of the terminal outside are still set.
            ("TERM=screen VTE_VERSION=7600", false), ("TERM=xterm TMUX=x KITTY_WINDOW_ID=1", false),
            ("TERM=tmux-256color TMUX=x TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=3.4", true),
            ("TERM=tmux-256color TMUX=x TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=3.3a", false),
            ("TERM=xterm VTE_VERSION=7600 NO_COLOR=1", false), ("TERM=xterm VTE_VERSION=7600 NO_COLOR=", true),
            ("TERM=xterm KITH_LINKS=always", true), ("TERM=xterm NO_COLOR=1 KITH_LINKS=always", true),
            ("TERM=dumb KITH_LINKS=always", false), ("TERM=xterm-kitty KITH_LINKS=never", false),
            ("TERM=xterm-kitty KITH_LINKS=maybe", true),
        ])
    func links(variables: String, expected: Bool) {
        let pairs = variables.split(separator: " ").map { $0.split(separator: "=", omittingEmptySubsequences: false) }
        let environment = Dictionary(pairs.map { (String($0[0]), String($0[1])) }) { $1 }
        #expect(TerminalFeatures.wantsLinks(environment) == expected)
    }
}
