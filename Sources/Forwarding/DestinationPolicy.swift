internal import LinuxSystem
public import Wire

/// Where a destination that a client chose may lead. Judged on the address that is then dialled, never on a name alone: a
/// name that leads somewhere else the next time gains nothing.
public struct DestinationPolicy: Sendable {
    /// Some destinations.
    public struct Rule: Sendable {
        /// Which hosts.
        public enum Hosts: Sendable {
            case any
            case network(NetworkPrefix)
            /// A name in lower case in which `*` stands for any characters.
            case name(String)
        }

        /// Which hosts.
        public var hosts: Hosts
        /// Which ports.
        public var ports: ClosedRange<UInt16>

        /// A rule.
        public init(_ hosts: Hosts, ports: ClosedRange<UInt16> = 1...65535) {
            self.hosts = hosts
            self.ports = ports
        }
    }

    /// Why a destination is refused.
    public enum Denial: UInt8, Sendable {
        /// No rule allows it, or one denies it.
        case rule
        /// Loopback, or an address that means this host.
        case loopback
        case linkLocal
        case multicast
        case broadcast
        /// The daemon itself listens there.
        case ownListener
    }

    /// `nil`: everything that is not special.
    public var allow: [Rule]?
    /// Wins over `allow`.
    public var deny: [Rule]
    /// Where this daemon listens.
    public var ownListeners: OwnListeners

    /// A policy.
    public init(allow: [Rule]? = nil, deny: [Rule] = [], ownListeners: OwnListeners = OwnListeners([])) {
        self.allow = allow
        self.deny = deny
        self.ownListeners = ownListeners
    }

    /// Judges one address.
    ///
    /// - Parameters:
    ///   - endpoint: what would be dialled.
    ///   - name: the name that led there.
    ///   - everywhere: whether a policy without `allow` allows all that is not special.
    /// - Returns: why it is refused, or `nil`.
    public func denial(of endpoint: IPEndpoint, name: String?, everywhere: Bool) -> Denial? {
        let address = endpoint.address.unmapped
        let plain = IPEndpoint(address, port: endpoint.port)
        if deny.contains(where: { $0.matches(plain, name) }) { return .rule }
        if let special = Self.special(address), !isNamed(plain, name, special) { return special }
        if isOwnListener(plain), !isNamed(plain, name, .ownListener) { return .ownListener }
        guard let allow else { return everywhere ? nil : .rule }
        return allow.contains { $0.matches(plain, name) } ? nil : .rule
    }

    // MARK: Special addresses

    private static let special: [(NetworkPrefix, Denial)] = [
        (NetworkPrefix(.ipv4(0x7F00_0000), length: 8), .loopback),
        // 0.0.0.0 connects to this host.
        (NetworkPrefix(.ipv4(0), length: 8), .loopback),
        (NetworkPrefix(.ipv4(0xA9FE_0000), length: 16), .linkLocal),
        (NetworkPrefix(.ipv4(0xE000_0000), length: 4), .multicast),
        (NetworkPrefix(.ipv4(0xFFFF_FFFF), length: 32), .broadcast),
        (NetworkPrefix(.ipv6(0), length: 127), .loopback),
        (NetworkPrefix(.ipv6(0xFE80 << 112), length: 10), .linkLocal),
        (NetworkPrefix(.ipv6(0xFF00 << 112), length: 8), .multicast),
    ]

    private static func special(_ address: WireAddress) -> Denial? {
        for (network, denial) in special where network.contains(address) { return denial }
        guard case .ipv6(let bits) = address else { return nil }
        return EmbeddedAddress.all(in: bits).lazy.compactMap { special(.ipv4($0)) }.first
    }

    /// Whether `allow` means exactly this: a network within the special one, or `localhost` for loopback. `*`, `:PORT` and
    /// `0.0.0.0/0` do not, nor do other names, for their owner decides where they lead.
    private func isNamed(_ endpoint: IPEndpoint, _ name: String?, _ denial: Denial) -> Bool {
        allow?.contains { rule in
            guard rule.matches(endpoint, name) else { return false }
            switch rule.hosts {
            case .any: return false
            case .name(let pattern):
                return denial == .loopback && (pattern == "localhost" || pattern.hasSuffix(".localhost"))
            case .network(let network):
                if denial == .ownListener { return network.length == (network.address.bytes.count * 8) }
                return Self.special.contains { $0.1 == denial && $0.0.contains(network) }
            }
        } ?? false
    }

    /// Whether this daemon listens there: at this very address, or at all addresses of this host if it is one of them.
    func isOwnListener(_ endpoint: IPEndpoint) -> Bool {
        for listener in ownListeners.all where listener.port == endpoint.port {
            guard let own = listener.endpoint else { continue }
            if own.address == endpoint.address { return true }
            if listener.isAny, LocalAddress.isOwn(SocketAddress(endpoint)) { return true }
        }
        return false
    }
}

extension DestinationPolicy.Rule {
    func matches(_ endpoint: IPEndpoint, _ name: String?) -> Bool {
        guard ports.contains(endpoint.port) else { return false }
        switch hosts {
        case .any: return true
        case .network(let network): return network.contains(endpoint.address)
        case .name(let pattern):
            guard var name = name?.lowercased() else { return false }
            if name.hasSuffix(".") { name.removeLast() }
            return Glob.matches(Array(name.utf8), Array(pattern.utf8))
        }
    }
}

/// Patterns in which `*` stands for any characters.
enum Glob {
    /// Takes a time proportional to the product of the lengths at worst.
    static func matches(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        var at = 0
        var position = 0
        var star = -1
        var retry = 0
        while at < text.count {
            if position < pattern.count, pattern[position] == UInt8(ascii: "*") {
                star = position
                retry = at
                position += 1
            } else if position < pattern.count, pattern[position] == text[at] {
                at += 1
                position += 1
            } else if star >= 0 {
                position = star + 1
                retry += 1
                at = retry
            } else {
                return false
            }
        }
        while position < pattern.count, pattern[position] == UInt8(ascii: "*") { position += 1 }
        return position == pattern.count
    }
}
