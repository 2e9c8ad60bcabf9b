import Dispatch

/// Calls a handler each time a signal comes, beside what the signal does anyway.
final class SignalWatch: @unchecked Sendable {
    // A dispatch source may be used from any thread; only its protocol does not say so.
    private let source: any DispatchSourceSignal

    init(_ number: Int32, handler: @escaping @Sendable () -> Void) {
        source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: handler)
        source.resume()
    }

    func cancel() { source.cancel() }
}
