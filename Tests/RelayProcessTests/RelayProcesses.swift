import Testing

/// Tests of whole relay processes. They run one at a time, since each uses much of the machine.
@Suite("Relay processes", .serialized)
enum RelayProcesses {}
