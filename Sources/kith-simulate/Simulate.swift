import ArgumentParser
import KithSimulation

@main
struct Simulate: ParsableCommand {
    func run() {}
}
