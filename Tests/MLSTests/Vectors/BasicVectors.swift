import TLSCodec

@testable import MLS

enum BasicVectors {
    @Sendable
    static func treeMath(_ vector: JSON, _: AlgorithmsOrNone) throws {
        let leaves = try vector["n_leaves"].int()
        try check(TreeMath.nodeWidth(leaves) == (try vector["n_nodes"].int()), "n_nodes")
        try check(TreeMath.root(leaves) == (try vector["root"].int()), "root")
        func compare(_ name: String, _ compute: (Int) -> Int?) throws {
            for (node, expected) in try vector[name].array().enumerated() {
                try check(compute(node) == (expected.isNull ? nil : try expected.int()), "\(name)[\(node)]")
            }
        }
        try compare("left") { TreeMath.left($0) }
        try compare("right") { TreeMath.right($0) }
        try compare("parent") { TreeMath.parent($0, leaves) }
        try compare("sibling") { TreeMath.sibling($0, leaves) }
    }

    @Sendable
    static func deserialization(_ vector: JSON, _: AlgorithmsOrNone) throws {
        var reader = TLSReader(try vector["vlbytes_header"].bytes())
        try check(try reader.readVarint() == (try vector["length"].int()), "length")
    }

    @Sendable
    static func cryptoBasics(_ vector: JSON, _ algorithms: AlgorithmsOrNone) throws {
        let algorithms = try required(algorithms)
        let hash = algorithms.hash
        func label(_ json: JSON) throws -> StaticString {
            // The vectors carry labels as strings; the module's are literals.
            switch try json["label"].string() {
            case "RefHash": return "RefHash"
            case "ExpandWithLabel": return "ExpandWithLabel"
            case "DeriveSecret": return "DeriveSecret"
            case "DeriveTreeSecret": return "DeriveTreeSecret"
            case "SignWithLabel": return "SignWithLabel"
            case "EncryptWithLabel": return "EncryptWithLabel"
            case let other: throw JSON.Missing(description: "label \(other)")
            }
        }
        let ref = vector["ref_hash"]
        try check(hash.refHash(label(ref), ref["value"].bytes()) == ref["out"].bytes(), "ref_hash")

        let expand = vector["expand_with_label"]
        try check(
            hash.expandWithLabel(
                expand["secret"].secret(), label(expand), expand["context"].bytes(), expand["length"].int())
                == expand["out"].secret(), "expand_with_label")

        let derive = vector["derive_secret"]
        try check(
            hash.deriveSecret(derive["secret"].secret(), label(derive)) == derive["out"].secret(), "derive_secret")

        let tree = vector["derive_tree_secret"]
        try check(
            hash.deriveTreeSecret(
                tree["secret"].secret(), label(tree), UInt32(tree["generation"].int()), tree["length"].int())
                == tree["out"].secret(), "derive_tree_secret")

        let sign = vector["sign_with_label"]
        let signer = try SignaturePrivateKey(scheme: algorithms.signature, sign["priv"].secret())
        let publicKey = SignaturePublicKey(try sign["pub"].bytes())
        let content = try sign["content"].bytes()
        try check(signer.publicKey == publicKey, "public key")
        try check(
            algorithms.signature.verifyWithLabel(sign["signature"].bytes(), label(sign), content, publicKey),
            "signature")
        try check(
            algorithms.signature.verifyWithLabel(
                signer.signWithLabel(label(sign), content), label(sign), content, publicKey), "own signature")

        let encrypt = vector["encrypt_with_label"]
        let key = try algorithms.kem.privateKey(encrypt["priv"].secret())
        let context = try encrypt["context"].bytes()
        try check(key.publicKey.bytes == encrypt["pub"].bytes(), "HPKE public key")
        let given = HPKECiphertext(
            kemOutput: try encrypt["kem_output"].bytes(), ciphertext: try encrypt["ciphertext"].bytes())
        try check(
            algorithms.decryptWithLabel(given, key: key, label(encrypt), context: context)
                == encrypt["plaintext"].secret(), "decrypt")
        let sealed = try algorithms.encryptWithLabel(
            to: key.publicKey, label(encrypt), context: context, encrypt["plaintext"].bytes(), .system)
        try check(
            algorithms.decryptWithLabel(sealed, key: key, label(encrypt), context: context)
                == encrypt["plaintext"].secret(), "decrypt own")
    }
}
