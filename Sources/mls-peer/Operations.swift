import Foundation
import MLS
import TLSCodec

/// The clients in this process. Each request performs an operation on one client.
struct Peer {
    /// A client with at most one group.
    private struct Member {
        var client: Client
        let suite: CipherSuite
        var bundles: [KeyPackageBundle] = []
        var group: Group?
        var pending: PendingCommit?
        var external: ExternalJoin?
    }

    private let configuration: MLSConfiguration
    private var members: [String: Member] = [:]
    private var preSharedKeys: [[UInt8]: SecretBytes] = [:]

    init(_ configuration: MLSConfiguration) { self.configuration = configuration }

    private var environment: MLSEnvironment {
        let keys = preSharedKeys
        return MLSEnvironment(
            authentication: AcceptEveryCredential(), now: UInt64(Date().timeIntervalSince1970),
            configuration: configuration
        ) { kind in
            if case .external(let id) = kind { keys[id] } else { nil }
        }
    }

    private var lifetime: Lifetime {
        let now = UInt64(Date().timeIntervalSince1970)
        return Lifetime(notBefore: now - 3_600, notAfter: now + 90 * 24 * 3_600)
    }

    mutating func answer(_ request: Request) throws -> [String: Any] {
        let operation = try request.string("op")
        if operation == "psk" {
            preSharedKeys[try request.bytes("id")] = SecretBytes(try request.bytes("secret"))
            return [:]
        }
        let name = try request.string("as")
        if operation == "client" {
            let suite = CipherSuite(rawValue: UInt16(truncatingIfNeeded: try request.int("suite")))
            let client = Client(
                credential: .basic(identity: try request.bytes("identity")),
                signer: try SignaturePrivateKey(generatingFor: suite))
            members[name] = Member(client: client, suite: suite)
            return ["signature_key": client.signer.publicKey.bytes.hex]
        }
        guard var member = members[name] else { throw PeerError("no client \(name)") }
        // The member is stored only after the operation has succeeded, so a failed operation changes nothing.
        let answer = try perform(operation, request, &member)
        members[name] = member
        return answer
    }

    private func perform(
        _ operation: String, _ request: Request, _ member: inout Member
    ) throws -> [String: Any] {
        switch operation {
        case "key_package":
            let bundle = try KeyPackageBundle(
                suite: member.suite, client: member.client, lifetime: lifetime)
            member.bundles.append(bundle)
            return ["key_package": bundle.message.encoded.hex]
        case "create":
            member.group = try Group(
                creating: request.bytes("group_id"), suite: member.suite, client: member.client, lifetime: lifetime,
                in: environment)
            return try state(member)
        case "join":
            try join(request, &member)
            return try state(member)
        case "external_commit":
            let info = try MLSMessage.decode(request.bytes("group_info"))
            guard case .groupInfo(let info) = info else { throw PeerError("no GroupInfo") }
            let old = request.fields["remove"] == nil ? nil : LeafIndex(rawValue: UInt32(try request.int("remove")))
            let join = try Group.joinExternally(
                info, client: member.client,
                .init(ratchetTree: request.optionalBytes("ratchet_tree"), removing: old), in: environment)
            member.external = join
            return ["commit": join.message.encoded.hex]
        case "apply":
            if let join = member.external {
                member.group = join.group
            } else {
                guard let pending = member.pending else { throw PeerError("nothing to apply") }
                try member.group?.apply(pending)
            }
            (member.pending, member.external) = (nil, nil)
            return try state(member)
        case "discard":
            (member.pending, member.external) = (nil, nil)
            return [:]
        default:
            guard var group = member.group else { throw PeerError("no group") }
            let answer = try perform(operation, request, &group, &member)
            member.group = group
            return answer
        }
    }

    private func perform(
        _ operation: String, _ request: Request, _ group: inout Group, _ member: inout Member
    ) throws -> [String: Any] {
        switch operation {
        case "commit":
            var options = CommitOptions(try proposals(request, group))
            options.renewsPath = request.flag("path", default: true)
            var environment = environment
            environment.configuration.encryptsHandshakes = request.flag("encrypt", default: true)
            let pending = try group.commit(options, in: environment)
            member.pending = pending
            var answer: [String: Any] = ["commit": pending.message.encoded.hex]
            if let welcome = pending.welcome { answer["welcome"] = welcome.encoded.hex }
            return answer
        case "propose":
            var environment = environment
            environment.configuration.encryptsHandshakes = request.flag("encrypt", default: true)
            if request.flag("update", default: false) {
                return ["proposal": try group.proposeUpdate(in: environment).encoded.hex]
            }
            if request.flag("leave", default: false) {
                return ["proposal": try group.proposeLeaving(in: environment).encoded.hex]
            }
            let wanted = try proposals(request, group)
            guard wanted.count == 1 else { throw PeerError("one proposal at a time") }
            return ["proposal": try group.propose(wanted[0], in: environment).encoded.hex]
        case "process": return try process(request, &group)
        case "protect":
            let message = try group.encrypt(
                request.bytes("data"), authenticatedData: request.optionalBytes("aad") ?? [], in: environment)
            return ["message": message.encoded.hex]
        case "export":
            let secret = try group.export(
                label: request.string("label"), context: request.bytes("context"), length: request.int("length"))
            return ["secret": secret.copyBytes().hex]
        case "group_info": return ["group_info": try group.groupInfo().encoded.hex]
        case "ratchet_tree": return ["ratchet_tree": group.tree.encoded.hex]
        case "state":
            member.group = group
            return try state(member)
        default: throw PeerError("no operation \(operation)")
        }
    }

    private func join(_ request: Request, _ member: inout Member) throws {
        guard case .welcome(let welcome) = try MLSMessage.decode(request.bytes("welcome")) else {
            throw PeerError("no Welcome")
        }
        let references = Set(welcome.secrets.map(\.newMember))
        let index = try member.bundles.firstIndex { references.contains(try $0.keyPackage.reference()) }
        guard let index else { throw PeerError("the Welcome is for another key package") }
        member.group = try Group(
            joining: welcome, with: member.bundles[index], ratchetTree: request.optionalBytes("ratchet_tree"),
            in: environment)
        member.bundles.remove(at: index)
    }

    private func proposals(_ request: Request, _ group: Group) throws -> [Proposal] {
        var proposals: [Proposal] = []
        for bytes in try request.byteStrings("add") {
            guard case .keyPackage(let keyPackage) = try MLSMessage.decode(bytes) else {
                throw PeerError("no key package")
            }
            proposals.append(.add(keyPackage))
        }
        for index in request.ints("remove") { proposals.append(.remove(LeafIndex(rawValue: UInt32(index)))) }
        for id in try request.byteStrings("psk") {
            let nonce = RandomSource.system.bytes(group.epochAuthenticator.count)
            proposals.append(.preSharedKey(PreSharedKeyID(kind: .external(id: id), nonce: nonce)))
        }
        return proposals
    }

    private func process(_ request: Request, _ group: inout Group) throws -> [String: Any] {
        switch try group.process(request.bytes("message"), in: environment) {
        case .application(let message):
            return [
                "kind": "application", "data": message.data.hex, "sender": message.sender.rawValue,
                "generation": message.generation,
            ]
        case .proposal(let proposal): return ["kind": "proposal", "type": proposal.proposal.type.rawValue]
        case .commit(let commit):
            let effect = commit.effect
            if request.flag("apply", default: true) { try group.apply(commit) }
            return [
                "kind": "commit", "committer": effect.committerLeaf.rawValue,
                "added": effect.added.map(\.index.rawValue), "removed": effect.removed.map(\.index.rawValue),
                "updated": effect.updated.map(\.index.rawValue), "removes_self": effect.removesSelf,
            ]
        }
    }

    private func state(_ member: Member) throws -> [String: Any] {
        guard let group = member.group else { throw PeerError("no group") }
        return [
            "epoch": group.epoch, "leaf": group.ownLeafIndex.rawValue, "group_id": group.groupID.hex,
            "epoch_authenticator": group.epochAuthenticator.copyBytes().hex,
            "active": group.status == .active,
            "members": group.members.map { member in
                [
                    "index": member.index.rawValue, "credential": member.leaf.credential.encoded.hex,
                    "signature_key": member.leaf.signatureKey.bytes.hex,
                ] as [String: Any]
            },
        ]
    }
}
