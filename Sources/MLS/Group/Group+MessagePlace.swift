/// The ratchet position of a PrivateMessage's key. Two different messages must never have equal positions.
package struct MessagePlace: Hashable, Sendable {
    /// The sender.
    package let leafIndex: LeafIndex
    /// Whether the message is application data. Handshake messages use a separate ratchet (RFC 9420 §9.1).
    package let isApplication: Bool
    /// The generation of the sender's ratchet.
    package let generation: UInt32
}

extension Group {
    /// Returns the ratchet position of a message of this epoch (RFC 9420 §6.3.2). Equal positions of two messages show an
    /// application that a key was used twice. The call changes no state and decrypts no content.
    ///
    /// - Throws: ``MLSError/malformed(_:)`` or ``MLSError/message(_:)``.
    package func place(of bytes: [UInt8]) throws(MLSError) -> MessagePlace {
        guard case .privateMessage(let message) = try MLSMessage.decode(bytes) else { throw .message(.wireFormat) }
        guard message.groupID == groupID, message.epoch == epoch else {
            throw .message(.epoch(current: epoch, message: message.epoch))
        }
        let data = try message.senderData(secrets.senderDataSecret, algorithms)
        return MessagePlace(
            leafIndex: data.leafIndex, isApplication: message.contentType == .application, generation: data.generation)
    }
}
