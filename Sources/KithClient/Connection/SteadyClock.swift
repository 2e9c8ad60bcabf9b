/// The time since its first use in the program. Nobody can set this clock, and it continues while the machine sleeps.
enum SteadyClock {
    private static let begin = ContinuousClock.now

    static var now: Duration { ContinuousClock.now - begin }
}
