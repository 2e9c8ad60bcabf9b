import KithWire

/// Names: each belongs to the key that registered it first, for as long as that key renews it and a while longer.
extension Hub {
    func register(_ record: NameRecord, _ place: Place, _ connection: ConnectionNumber, _ requestID: UInt32) {
        slowly { hub in
            let reply = await hub.deciding { () throws(StoreFailure) in
                guard let current = try await hub.store.record(under: record.name) else {
                    guard hub.level < .noNew else { return .answer(.error(.storeIsFull)) }
                    let wait = hub.budgets.take(1, \.names, of: place, atNanoseconds: hub.uptime())
                    guard wait == 0 else { return .answer(.error(.overBudget(waitNanoseconds: wait))) }
                    return .commit(.register(record: record, replacing: nil, atMs: hub.datingMs), then: .done)
                }
                if record == current.record, hub.age(of: current) == .valid { return .answer(.done) }
                guard record.replaces(current.record) || hub.age(of: current) == .free else {
                    return .answer(
                        .error(RelayError(.exists, "the name belongs to someone else, or has a newer record")))
                }
                return .commit(
                    .register(record: record, replacing: current.record.version, atMs: hub.datingMs), then: .done)
            }
            hub.send(reply, requestID: requestID, to: connection)
        }
    }

    func lookUp(_ name: Name, _ connection: ConnectionNumber, _ requestID: UInt32) {
        slowly { hub in
            let reply = await hub.deciding { () throws(StoreFailure) in
                guard let found = try await hub.store.record(under: name), hub.age(of: found) == .valid else {
                    return .answer(.error(RelayError(.notFound, "there is nobody under this name")))
                }
                return .answer(.record(found.record.unverified))
            }
            hub.send(reply, requestID: requestID, to: connection)
        }
    }

    private enum NameAge {
        /// It is found.
        case valid
        /// It is not found, and only its key can renew it.
        case reserved
        /// Anybody can register it.
        case free
    }

    private func age(of name: StoredName) -> NameAge {
        let termMs = UInt64(limits.nameSeconds) * 1_000
        if keptMs < name.renewedMs + termMs { return .valid }
        return keptMs < name.renewedMs + 2 * termMs ? .reserved : .free
    }
}
