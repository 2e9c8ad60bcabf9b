/// The state of a session. Each state has exactly the values that exist at that point, so no step can use a value too early.
///
/// | state             | on                             | checks, then                                             | next       |
/// | ----------------- | ------------------------------ | -------------------------------------------------------- | ---------- |
/// | `idle`            | `start()`                      | sends hello                                              | `waiting`  |
/// | `waiting`         | hello of a new run             | sends publicKey to that run                              | `waiting`  |
/// | `waiting`         | publicKey for this run         | id, form, not own, expected; sends publicKey once, proof | `proving`  |
/// | `proving`         | proof                          | signature; makes keys, sends wrappedKey                  | `wrapping` |
/// | `wrapping`        | wrappedKey                     | signature; unwraps                                       | `open`     |
/// | `open`            | message                        | MAC, number; decrypts                                    | `open`     |
/// | `open`            | bye                            | MAC, number                                              | `ended`    |
/// | `open`            | `send(_:)`                     | seals and sends                                          | `open`     |
/// | `open`            | `bye()`                        | seals and sends                                          | `ended`    |
/// | any other         | `bye()`                        |                                                          | `ended`    |
/// | any               | `connectionLost()`             |                                                          | `ended`    |
/// | from `proving` on | hello of a new run             | reports that the peer started again                      | unchanged  |
/// | any               | anything else, or failed check | reports why it was dropped                               | unchanged  |
///
/// If both sides have sent a hello, one hello is first in the channel. The side that has sent the first hello sees the second
/// hello, and sends its public key. The other side answers a public key with its own public key. The handshake also succeeds if
/// both sides answer a hello.
enum SessionState: Sendable {
    case idle
    case waiting
    case proving(Proving)
    case wrapping(Wrapping)
    case open(Open)
    case ended(Ending)

    /// The other side's key has arrived. The other side has not proved anything yet.
    struct Proving: Sendable {
        let peer: UnprovenPeer
    }

    /// The other side has proved that it has its private key. This side has sent the keys for the other side's messages.
    struct Wrapping: Sendable {
        let peer: ProvenPeer
        let receiveKeys: DirectionKeys
        let wrappedByMe: [UInt8]
    }

    /// Each side has the keys for its own messages and for the messages of the other side.
    struct Open: Sendable {
        let peerRun: RunID
        let sessionID: SessionID
        let sendKeys: DirectionKeys
        let receiveKeys: DirectionKeys
        /// The number of the next message from this side.
        var nextToSend: UInt64 = 1
        var inbound = Inbound()
    }

    /// The other user's run in this session; `nil` while there is none.
    var peerRun: RunID? {
        switch self {
        case .idle, .waiting, .ended: nil
        case .proving(let proving): proving.peer.run
        case .wrapping(let wrapping): wrapping.peer.run
        case .open(let open): open.peerRun
        }
    }
}

/// A peer that has presented an acceptable key with the right id.
struct UnprovenPeer: Sendable {
    let run: RunID
    let key: ClassicPublicKey
    let transcript: Transcript
    let side: Side

    /// Returns the proven peer if the signature is valid; otherwise `nil`. A valid signature shows that the peer has the private
    /// key and has seen the same values as this side.
    func proven(by signature: [UInt8]) -> ProvenPeer? {
        guard key.verifies(signature, over: transcript.proofContent(signer: side)) else { return nil }
        return ProvenPeer(unproven: self)
    }
}

/// A peer that has proved in this run that it has the private key for the presented key. Only ``UnprovenPeer/proven(by:)``
/// creates such a value.
struct ProvenPeer: Sendable {
    let run: RunID
    let key: ClassicPublicKey
    let transcript: Transcript
    let side: Side

    fileprivate init(unproven: UnprovenPeer) {
        run = unproven.run
        key = unproven.key
        transcript = unproven.transcript
        side = unproven.side
    }

    /// Unwraps the message keys that this peer has made and signed. Returns `nil` after any failure. The result does not show the
    /// cause of the failure.
    func openKeys(_ wrapped: WrappedKey, with identity: ClassicIdentity) -> DirectionKeys? {
        guard
            key.verifies(
                wrapped.signature, over: transcript.wrappedKeyContent(signer: side, wrapped: wrapped.wrapped)),
            let material = try? identity.unwrap(wrapped.wrapped)
        else { return nil }
        return DirectionKeys(material)
    }
}
