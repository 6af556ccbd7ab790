public import LinuxSystem

/// What became of one `Resolver.resolve`.
public struct Resolution: Sendable, Equatable {
    /// Addresses, or why there are none.
    public enum Outcome: Sendable, Equatable {
        /// The addresses in the order to dial them (`HappyEyeballs`), never empty, and how long they may be used.
        ///
        /// An address that was given as such never expires: its `ttl` is `Resolution.permanent`.
        case addresses([SocketAddress], ttl: Duration)
        /// The hosts that offer a service, best first, and how long they may be used; none when it is decidedly not offered.
        case services([ServiceRecord], ttl: Duration)
        /// The name leads nowhere now.
        case failed(ResolutionError)
    }

    /// The lifetime of an address literal: added to any `MonotonicTime` it makes `never`.
    public static let permanent = Duration.seconds(Int64.max)

    /// The number that the caller gave.
    public let id: UInt64
    /// The name that was asked for.
    public let name: String
    /// What came of it.
    public let result: Outcome

    /// A finished resolution.
    public init(id: UInt64, name: String, result: Outcome) {
        self.id = id
        self.name = name
        self.result = result
    }
}

/// Why a name has no addresses.
public enum ResolutionError: Error, Sendable, Hashable {
    /// The name does not exist (NXDOMAIN).
    case notFound
    /// The name exists and has neither an A nor an AAAA record.
    case noAddresses
    /// The name exists and has no SRV record.
    case noServices
    /// The name says that the service is not offered: an SRV record whose target is `.`.
    case notOffered
    /// The answer does not keep to RFC 1035 or 2782.
    case malformed
    /// No DNS server answered in time.
    case timedOut
    /// The DNS server answered SERVFAIL.
    case serverFailure
    /// The DNS server answered REFUSED.
    case refused
    /// The resolver was closed first.
    case cancelled
    /// Anything else, in words.
    case other(String)

    /// The reason as a sentence's part, with the name: `gateway.example.net does not exist (NXDOMAIN)`.
    public func text(for name: String) -> String {
        switch self {
        case .notFound: "\(name) does not exist (NXDOMAIN)"
        case .noAddresses: "\(name) has neither an IPv4 nor an IPv6 address"
        case .noServices: "\(name) has no SRV record"
        case .notOffered: "\(name) says that the service is not offered"
        case .malformed: "the answer of the DNS server for \(name) is malformed"
        case .timedOut: "no DNS server answered in time for \(name)"
        case .serverFailure: "the DNS server failed to look up \(name) (SERVFAIL)"
        case .refused: "the DNS server refuses to look up \(name) (REFUSED)"
        case .cancelled: "the look-up of \(name) was cancelled"
        case .other(let reason): "cannot look up \(name): \(reason)"
        }
    }
}

/// The resolver cannot be set up.
public struct ResolverError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What failed and why, in words.
    public let description: String

    /// An error in words.
    public init(_ description: String) {
        self.description = description
    }
}
