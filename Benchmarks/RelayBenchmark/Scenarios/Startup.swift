import Foundation

/// Measures the time from the start of the relay until it prints that it listens, with an empty store and with a given store.
struct Startup: Scenario {
    let name = "startup"
    /// The folder of an existing relay, which is started as it is; `nil` for none.
    var store: String?

    var title: String { "Startup" }

    func run(_ bench: Bench) async throws {
        guard bench.options.wants("kith") else { return }
        try await measure("an empty folder, its key to be made", bar: .atMost(50), bench) {
            bench.workspace.path("startup")
        }
        // The first start makes the relay's key. People wait for restarts, so the first start is not counted.
        let made = bench.workspace.path("startup")
        try Relay(bench, data: made).process.kill()
        try await measure("an empty store", bar: .atMost(50), bench) { made }
        if let store { try await measure("the store given", bar: .atMost(300), bench) { store } }
    }

    private func measure(_ what: String, bar: Figure.Bar?, _ bench: Bench, _ folder: () -> String) async throws {
        var times: [Double] = []
        for _ in 0..<max(bench.options.rounds, 5) {
            let time = try await bench.undisturbed {
                let relay = try Relay(bench, data: folder())
                relay.process.kill()
                return relay.startup
            }
            times.append(Double(time.components.seconds) * 1e3 + Double(time.components.attoseconds) / 1e15)
        }
        bench.report(
            Figure(
                scenario: name, subject: "kith", name: "listening, with \(what)", value: times.median, unit: "ms",
                bar: bar, rounds: times))
    }
}
