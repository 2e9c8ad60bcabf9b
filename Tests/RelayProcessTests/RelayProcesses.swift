import Testing

/// Tests of whole relay processes. They run one at a time: each needs the machine for itself, and some measure it.
@Suite("Relay processes", .serialized)
enum RelayProcesses {}
