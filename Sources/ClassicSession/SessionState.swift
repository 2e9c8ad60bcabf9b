/// The progress of a session. Each state holds exactly the values that exist by then, so no step can use one that does not
/// exist yet.
///
/// | state      | on                                | checks, then                                           | next       |
/// | ---------- | --------------------------------- | ------------------------------------------------------ | ---------- |
/// | `idle`     | `start()`                         | sends hello                                            | `waiting`  |
/// | `waiting`  | hello of a run not answered yet   | sends publicKey to that run                            | `waiting`  |
/// | `waiting`  | publicKey for this run            | id, form, not own, expected; sends publicKey if it has | `proving`  |
/// |            |                                   | not been, and proof                                    |            |
/// | `proving`  | proof                             | signature; makes keys, sends wrappedKey                | `wrapping` |
/// | `wrapping` | wrappedKey                        | signature; unwraps                                     | `open`     |
/// | `open`     | message                           | MAC, number; decrypts                                  | `open`     |
/// | `open`     | bye                               | MAC, number                                            | `ended`    |
/// | `open`     | `send(_:)`                        | seals and sends                                        | `open`     |
/// | `open`     | `bye()`                           | seals and sends                                        | `ended`    |
/// | any other  | `bye()`                           |                                                        | `ended`    |
/// | any        | `connectionLost()`                |                                                        | `ended`    |
/// | from       | hello of a run not heard of yet   | reports that the peer started again                    | unchanged  |
/// | `proving`  |                                   |                                                        |            |
/// | any        | anything else, or a failed check  | reports why it was dropped                             | unchanged  |
///
/// Of two live hellos in one log, one comes first, and the run that sent it sees the other. So at least one side answers,
/// and its answer makes the other side answer. Both answering does no harm.
enum SessionState: Sendable {
    case idle
    case waiting
    case proving(Proving)
    case wrapping(Wrapping)
    case open(Open)
    case ended(Ending)

    /// The other side's key has come; it has not proved anything.
    struct Proving: Sendable {
        let peer: UnprovenPeer
    }

    /// The other side has proved itself, and was sent the keys to write with.
    struct Wrapping: Sendable {
        let peer: ProvenPeer
        let receiveKeys: DirectionKeys
        let wrappedByMe: [UInt8]
    }

    /// Both directions have keys.
    struct Open: Sendable {
        let peerRun: RunID
        let sessionID: SessionID
        let sendKeys: DirectionKeys
        let receiveKeys: DirectionKeys
        /// The number of the next message that this side seals.
        var nextToSend: UInt64 = 1
        var inbound = Inbound()
    }

    /// The run that this session is with, once there is one.
    var peerRun: RunID? {
        switch self {
        case .idle, .waiting, .ended: nil
        case .proving(let proving): proving.peer.run
        case .wrapping(let wrapping): wrapping.peer.run
        case .open(let open): open.peerRun
        }
    }
}

/// A peer that presented an acceptable key under the right id.
struct UnprovenPeer: Sendable {
    let run: RunID
    let key: ClassicPublicKey
    let transcript: Transcript
    let side: Side

    /// The same peer, if the signature shows that they hold the key and have seen what this side has seen.
    func proven(by signature: [UInt8]) -> ProvenPeer? {
        guard key.verifies(signature, over: transcript.proofContent(signer: side)) else { return nil }
        return ProvenPeer(unproven: self)
    }
}

/// A peer that holds the private key to the key they presented, in this run. Made only by ``UnprovenPeer/proven(by:)``.
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

    /// Opens the message keys that this peer made, if this peer signed them. Every failure gives the same error.
    func openKeys(_ wrapped: WrappedKey, with identity: ClassicIdentity) -> DirectionKeys? {
        guard
            key.verifies(
                wrapped.signature, over: transcript.wrappedKeyContent(signer: side, wrapped: wrapped.wrapped)),
            let material = try? identity.unwrap(wrapped.wrapped)
        else { return nil }
        return DirectionKeys(material)
    }
}
