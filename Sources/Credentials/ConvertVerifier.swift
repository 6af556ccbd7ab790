internal import Synchronization
internal import Wire

/// The far end's side of the proof of key: whether a Convert message is from someone who knows one of the keys, is fresh,
/// and was not seen before.
///
/// Shared by all loops of a relay: what was seen is behind a lock that is held for one look-up. Nothing is dialled before.
public final class ConvertVerifier: Sendable {
    /// What came of it.
    public enum Verdict: Sendable, Equatable {
        case good
        /// No proof, one of a time too far off, or one older than this process: it is to be made again with this challenge.
        case challenge([UInt8])
        /// No such key.
        case wrongKey
        /// The same proof came before.
        case replayed
    }

    /// How far the two clocks may be apart, and how long a challenge may take, in milliseconds.
    public static let window: UInt64 = 30_000

    private let keys: [KeyFile.Key]
    private let memory: Memory

    /// What outlives a change of keys.
    private final class Memory: Sendable {
        /// When this process began to remember, in milliseconds since 1970.
        let began: UInt64
        let challengeKey = Secrets.random(32)
        let seen = Mutex(SeenProofs())

        init(began: UInt64) { self.began = began }
    }

    /// A verifier with all keys of a file.
    ///
    /// - Parameters:
    ///   - file: the keys.
    ///   - former: the verifier whose place it takes: what that one has seen stays seen.
    ///   - began: the time since 1970 at which this process begins, in milliseconds. Whether a proof of an earlier time was
    ///     taken by another process nobody knows any more, so that it has to be made again.
    public init(_ file: KeyFile, after former: ConvertVerifier? = nil, began: UInt64) {
        keys = file.keys
        memory = former?.memory ?? Memory(began: began)
    }

    /// Looks at a message.
    ///
    /// - Parameters:
    ///   - bytes: the whole message.
    ///   - cookie: its cookie.
    ///   - client: the client's address; a challenge is good for it alone.
    ///   - milliseconds: the time since 1970.
    public func verify(_ bytes: [UInt8], cookie: [UInt8]?, client: [UInt8], milliseconds: UInt64) -> Verdict {
        let proof = cookie.flatMap { KeyProof(cookie: $0) }
        let authenticated = KeyProof.authenticated(bytes.span)
        // All keys, whichever the proof names and whichever fits: the time taken tells nothing.
        var isKnown = false
        for key in keys {
            let code = Secrets.authenticationCode(authenticated, key: key.bytes)
            if Secrets.equal(code, proof?.code ?? []) { isKnown = true }
        }
        guard let proof else { return .challenge(challenge(client, milliseconds)) }
        guard isKnown else { return .wrongKey }
        if proof.time == 0 {
            guard isOwnChallenge(proof.random, client, milliseconds) else {
                return .challenge(challenge(client, milliseconds))
            }
        } else {
            let distance = proof.time > milliseconds ? proof.time - milliseconds : milliseconds - proof.time
            guard distance <= Self.window, proof.time >= memory.began else {
                return .challenge(challenge(client, milliseconds))
            }
        }
        let isNew = memory.seen.withLock {
            $0.insert(SeenProofs.Entry(time: proof.time, random: proof.random), at: milliseconds)
        }
        return isNew ? .good : .replayed
    }

    // MARK: Challenges

    /// Eight bytes of HMAC over time and client, behind the time in seconds: nothing has to be remembered until it is used.
    private func challenge(_ client: [UInt8], _ milliseconds: UInt64) -> [UInt8] {
        // The lowest bits are random: two challenges of one second differ.
        challenge(client, seconds: UInt32(truncatingIfNeeded: milliseconds / 1000), salt: Secrets.random(2))
    }

    private func challenge(_ client: [UInt8], seconds: UInt32, salt: [UInt8]) -> [UInt8] {
        let head = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: seconds >> $0) } + salt
        return head
            + Secrets.authenticationCode(head + client, key: memory.challengeKey).prefix(
                KeyProof.randomLength - head.count)
    }

    private func isOwnChallenge(_ random: [UInt8], _ client: [UInt8], _ milliseconds: UInt64) -> Bool {
        let seconds = random.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let age = UInt32(truncatingIfNeeded: milliseconds / 1000) &- seconds
        let expected = challenge(client, seconds: seconds, salt: Array(random[4..<6]))
        return Secrets.equal(expected, random) && UInt64(age) * 1000 <= Self.window
    }
}

/// Proofs that were taken, for as long as they would be taken again.
private struct SeenProofs {
    struct Entry: Hashable {
        let time: UInt64
        let random: [UInt8]
    }

    // Two generations, each at least as long as a proof can be good: forgetting costs nothing a proof.
    private var current: Set<Entry> = []
    private var previous: Set<Entry> = []
    private var began: UInt64 = 0
    /// From 30 s before to 30 s after: a proof can be good for twice the window.
    private static let lifetime = 2 * ConvertVerifier.window + 1000

    mutating func insert(_ entry: Entry, at milliseconds: UInt64) -> Bool {
        if milliseconds >= began + Self.lifetime || milliseconds + Self.lifetime < began {
            previous = milliseconds >= began + 2 * Self.lifetime ? [] : current
            current = []
            began = milliseconds
        }
        if previous.contains(entry) { return false }
        return current.insert(entry).inserted
    }
}
