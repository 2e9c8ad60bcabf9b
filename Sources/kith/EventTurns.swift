import KithClient

extension AsyncStream<KithEvent> {
    /// Hands on one event per turn. While the receiver is slow, events stay in the profile, whose buffer is bounded.
    /// Returns at the end of the events or of the turns.
    func handOn(at turns: AsyncStream<Void>, _ take: (KithEvent) -> Void) async {
        var events = makeAsyncIterator()
        for await _ in turns {
            guard let event = await events.next() else { return }
            take(event)
        }
    }
}
