@testable import MLS

enum PassiveClientVectors {
    @Sendable
    static func run(_ vector: JSON, _: AlgorithmsOrNone) throws {
        var external: [[UInt8]: SecretBytes] = [:]
        for psk in try vector["external_psks"].array() {
            external[try psk["psk_id"].bytes()] = try psk["psk"].secret()
        }
        let keys = external
        var environment = MLSEnvironment(authentication: AcceptEveryCredential(), now: 0) { kind in
            if case .external(let id) = kind { keys[id] } else { nil }
        }
        // The vectors' lifetimes are of the day on which they were made, and never end.
        environment.configuration.checksReceivedLifetimes = false
        environment.configuration.maximumLifetime = .max
        // The vectors may ask for a resumption PSK of any epoch.
        environment.configuration.resumptionEpochs = 10_000
        guard case .keyPackage(let keyPackage) = try MLSMessage(decoding: vector["key_package"].bytes()),
            case .welcome(let welcome) = try MLSMessage(decoding: vector["welcome"].bytes())
        else { throw JSON.Missing(description: "wire formats") }
        // Checks that the private keys are those of the key package.
        let bundle = try KeyPackageBundle(
            keyPackage: keyPackage, initKey: vector["init_priv"].secret(),
            encryptionKey: vector["encryption_priv"].secret(), signer: vector["signature_priv"].secret())
        let tree = vector["ratchet_tree"].isNull ? nil : try vector["ratchet_tree"].bytes()
        var group = try Group(joining: welcome, with: bundle, ratchetTree: tree, in: environment)
        try check(group.epochAuthenticator == vector["initial_epoch_authenticator"].secret(), "first authenticator")
        for (index, epoch) in try vector["epochs"].array().enumerated() {
            for proposal in try epoch["proposals"].array() {
                guard case .proposal = try group.process(proposal.bytes(), in: environment) else {
                    throw JSON.Missing(description: "no proposal in epoch \(index)")
                }
            }
            guard case .commit(let commit) = try group.process(epoch["commit"].bytes(), in: environment) else {
                throw JSON.Missing(description: "no commit in epoch \(index)")
            }
            try group.apply(commit)
            try check(group.epochAuthenticator == epoch["epoch_authenticator"].secret(), "epoch \(index)")
        }
    }
}
