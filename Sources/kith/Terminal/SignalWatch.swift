import Dispatch

/// Calls a handler each time a signal arrives. The signal also keeps its normal effect.
final class SignalWatch: @unchecked Sendable {
    // A dispatch source is safe on any thread, although its protocol is not declared `Sendable`.
    private let source: any DispatchSourceSignal

    init(_ number: Int32, handler: @escaping @Sendable () -> Void) {
        source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: handler)
        source.resume()
    }

    func cancel() { source.cancel() }
}
