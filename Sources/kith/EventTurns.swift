import KithClient

extension AsyncStream<KithEvent> {
    /// Hands events on, each when its turn has come: what a slow screen or output holds up waits in the profile, where it is
    /// bounded. Returns at the end of the events or of the turns.
    func handOn(at turns: AsyncStream<Void>, _ take: (KithEvent) -> Void) async {
        var events = makeAsyncIterator()
        for await _ in turns {
            guard let event = await events.next() else { return }
            take(event)
        }
    }
}
