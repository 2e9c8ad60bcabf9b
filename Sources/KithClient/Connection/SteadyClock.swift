/// The time since the program first asked for it, by a clock that nobody sets and that goes on while the machine sleeps.
enum SteadyClock {
    private static let begin = ContinuousClock.now

    static var now: Duration { ContinuousClock.now - begin }
}
