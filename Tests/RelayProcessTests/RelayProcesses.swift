import Testing

/// Whole relay processes, as they are run, and what is done to them. One test at a time: each wants the machine, and some
/// measure it.
@Suite("Relay processes", .serialized)
enum RelayProcesses {}
