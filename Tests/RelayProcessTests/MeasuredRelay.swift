import Testing

extension Tag {
    /// Asserts memory or time, which other load of the machine changes.
    @Tag static var measured: Self
}

/// Relay processes whose memory and times are asserted. `make measure` runs them alone and one at a time; `make test` leaves
/// them out.
@Suite("Measured relay processes", .serialized, .tags(.measured))
enum MeasuredRelay {}
