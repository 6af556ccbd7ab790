import TOML

/// `destinations`: where a destination chosen by a client may lead.
public struct DestinationSettings: Sendable, Equatable {
    /// Nil: the default of the listener's kind.
    public var allow: [DestinationPattern]?
    /// Wins over `allow`.
    public var deny: [DestinationPattern] = []

    init() {}
}

/// Some destinations: a network, a host pattern, or any host; and some ports. Prints as it is written in the configuration.
public struct DestinationPattern: Sendable, Hashable, CustomStringConvertible {
    /// Which hosts.
    public enum Hosts: Sendable, Hashable {
        case any
        case network(IPNetwork)
        /// A DNS name in lower case, in which `*` stands for any characters: `*.example.net`.
        case name(String)
    }

    /// Which hosts.
    public var hosts: Hosts
    /// Which ports.
    public var ports: ClosedRange<UInt16>

    /// The form of the configuration: `HOSTS`, `:PORTS` or `HOSTS:PORTS`.
    public var description: String {
        var port =
            ports.lowerBound == ports.upperBound ? ":\(ports.lowerBound)" : ":\(ports.lowerBound)-\(ports.upperBound)"
        if ports == Self.allPorts { port = "" }
        return switch hosts {
        case .any: port.isEmpty ? "*" : port
        case .name(let name): name + port
        case .network(let network):
            network.address.bitWidth == 128 && !port.isEmpty ? "[\(network)]\(port)" : "\(network)\(port)"
        }
    }

    private static let allPorts: ClosedRange<UInt16> = 1...65535

    init(_ node: TOMLNode) throws(TOMLBadValue) {
        let text = try node.string("a destination such as \"10.0.0.0/8\", \"*.example.net\" or \":443\"")
        var host = Substring(text)
        var port: Substring?
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let after = text[text.index(after: end)...]
            if !after.isEmpty {
                guard after.hasPrefix(":") else {
                    throw TOMLBadValue("has \"\(text)\", which is no destination", "write [NETWORK]:PORT")
                }
                port = after.dropFirst()
            }
        } else if let colon = text.lastIndex(of: ":"), text.firstIndex(of: ":") == colon {
            // More than one colon without brackets is an IPv6 network.
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        ports = try port.map { port throws(TOMLBadValue) in try Self.parsePorts(port, in: text) } ?? Self.allPorts
        if host.isEmpty && port != nil || host == "*" {
            hosts = .any
        } else if host.contains("/") || IPAddress(String(host)) != nil {
            hosts = .network(try IPNetwork(parsing: String(host)))
        } else {
            let name = host.lowercased()
            // A star stands for letters, so the name around it is checked with a letter in its place.
            guard HostName.isValid(name.split(separator: "*", omittingEmptySubsequences: false).joined(separator: "x"))
            else {
                throw TOMLBadValue(
                    "has \"\(text)\", which is no destination",
                    "write \"10.0.0.0/8\", \"*.example.net\", \":443\" or \":1024-2047\"")
            }
            hosts = .name(name)
        }
    }

    private static func parsePorts(_ text: Substring, in whole: String) throws(TOMLBadValue) -> ClosedRange<UInt16> {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map {
            DecimalText.integer($0)
        }
        guard let first = ends[0], let last = ends[ends.count - 1], (1...65535).contains(first),
            (first...max(first, 65535)).contains(last)
        else {
            throw TOMLBadValue(
                "has \"\(whole)\", whose port is wrong", "write a port from 1 to 65535, or a range such as 1024-2047")
        }
        return UInt16(first)...UInt16(last)
    }
}
