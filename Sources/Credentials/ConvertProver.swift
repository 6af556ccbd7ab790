public import Wire

/// The near end's side of the proof of key: signs Convert messages with the first key of its file.
public struct ConvertProver: Sendable {
    private let key: KeyFile.Key

    /// A prover with a file's first key.
    public init(_ file: KeyFile) {
        key = file.keys[0]
    }

    /// The message with a proof in its Cookie TLV, as bytes.
    ///
    /// - Parameters:
    ///   - message: what is asked for; a cookie it has is replaced.
    ///   - milliseconds: the time since 1970.
    ///   - challenge: the far end's, when it did not take the time; then the proof is by that and not by time.
    public func sign(_ message: ConvertMessage, milliseconds: UInt64, challenge: [UInt8]? = nil) -> [UInt8] {
        let proof = KeyProof(
            keyID: key.id, time: challenge == nil ? milliseconds : 0,
            random: challenge ?? Secrets.random(KeyProof.randomLength))
        var signed = message
        signed.tlvs.removeAll { $0.type == 22 }
        signed.tlvs.append(.cookie(proof.cookie))
        var bytes = signed.bytes()
        let code = Secrets.authenticationCode(KeyProof.authenticated(bytes.span), key: key.bytes)
        KeyProof.fill(code, into: &bytes)
        return bytes
    }
}
