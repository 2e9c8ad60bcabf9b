import TLSCodec

/// The devices of a contact that other devices of the contact have replaced. A key package of a replaced device must not bring
/// that device back.
struct FormerDevices: Hashable, Sendable {
    /// The oldest replacement comes first.
    private var ids: [DeviceCertificate.ID] = []

    func contains(_ device: DeviceCertificate.ID) -> Bool { ids.contains(device) }

    /// Adds a device. If there are then more than ``ClientLimits/formerDevices``, forgets the device that was replaced the
    /// longest ago.
    mutating func add(_ device: DeviceCertificate.ID) {
        remove(device)
        ids.append(device)
        if ids.count > ClientLimits.formerDevices { ids.removeFirst() }
    }

    /// Removes a device that is in use again.
    mutating func remove(_ device: DeviceCertificate.ID) { ids.removeAll { $0 == device } }
}

extension FormerDevices: TLSCodable {
    /// Reads a stored list.
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        var nested = try reader.readNested()
        while !nested.isAtEnd { add(Array(try nested.readBytes(DeviceCertificate.idLength))) }
    }

    /// Writes the list for the store.
    func encode(into writer: inout TLSWriter) { writer.writeOpaque(ids.flatMap(\.self)) }
}
