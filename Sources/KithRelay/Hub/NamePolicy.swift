import KithWire

/// The rules for names. A name belongs to the key that registered the name. The name stays with the key for two terms after the
/// last renewal. The length of a term is ``RelayLimits/nameSeconds``.
struct NamePolicy {
    /// The length of a term, in milliseconds. Clients find a name only in the first term after its renewal.
    private let termMs: UInt64

    init(_ limits: RelayLimits) { termMs = UInt64(limits.nameSeconds) * 1_000 }

    private enum Age {
        /// Clients find the name.
        case valid
        /// Clients do not find the name. Only the owner's key can renew the name.
        case reserved
        /// Any key can register the name.
        case free
    }

    private func age(of name: StoredName, nowMs: UInt64) -> Age {
        if nowMs < name.renewedMs + termMs { return .valid }
        return nowMs < name.renewedMs + 2 * termMs ? .reserved : .free
    }

    func isFound(_ name: StoredName, nowMs: UInt64) -> Bool { age(of: name, nowMs: nowMs) == .valid }

    enum Verdict: Equatable {
        /// The name has no record yet.
        case isNew
        /// The same record is already registered and valid.
        case isUnchanged
        /// The new record replaces the current record. `version` is the version of the current record.
        case replaces(version: UInt64)
        /// The name belongs to a different key, or the version of the new record is not higher than the current version.
        case isRefused
    }

    /// Decides whether `record` may be registered under its name.
    ///
    /// - Parameter current: the name's current record; `nil` if there is none.
    func judge(_ record: NameRecord, against current: StoredName?, nowMs: UInt64) -> Verdict {
        guard let current else { return .isNew }
        if record == current.record, age(of: current, nowMs: nowMs) == .valid { return .isUnchanged }
        guard record.replaces(current.record) || age(of: current, nowMs: nowMs) == .free else { return .isRefused }
        return .replaces(version: current.record.version)
    }
}
