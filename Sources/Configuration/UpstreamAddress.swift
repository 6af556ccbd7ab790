import TOML

/// Where a relay dials. Prints as it is written in the configuration.
public enum UpstreamAddress: Sendable, Hashable, CustomStringConvertible {
    /// Over plain TCP.
    case tcp(HostPort)
    /// Over MPTCP.
    case mptcp(HostPort)
    /// Over MPTCP, to the hosts and ports of a DNS service name (SRV records, RFC 2782).
    case mptcpService(name: String)
    /// A Unix stream socket at an absolute path.
    case unix(path: String)
    /// An RFC 8803 converter, over MPTCP, which is asked for the connection's own destination.
    case convert(HostPort)
    /// The connection's own destination, over plain TCP.
    case directTCP
    /// The connection's own destination, over MPTCP.
    case directMPTCP
    /// Built in: sends back what it gets.
    case echo
    /// Built in: the dashboard.
    case dashboard

    private static let schemes = [
        "tcp", "mptcp", "mptcp+srv", "unix", "convert", "direct+tcp", "direct+mptcp", "echo", "dashboard",
    ]

    /// The form of the configuration: `SCHEME://REST`.
    public var description: String {
        switch self {
        case .tcp(let address): "tcp://\(address)"
        case .mptcp(let address): "mptcp://\(address)"
        case .mptcpService(let name): "mptcp+srv://\(name)"
        case .unix(let path): "unix://\(path)"
        case .convert(let address): "convert://\(address)"
        case .directTCP: "direct+tcp://"
        case .directMPTCP: "direct+mptcp://"
        case .echo: "echo://"
        case .dashboard: "dashboard://"
        }
    }

    /// The host and port, of those that have one.
    public var hostPort: HostPort? {
        switch self {
        case .tcp(let address), .mptcp(let address), .convert(let address): address
        case .mptcpService, .unix, .directTCP, .directMPTCP, .echo, .dashboard: nil
        }
    }

    /// Whether it goes where the client chose, and so needs a listener that lets clients choose.
    public var usesChosenDestination: Bool {
        switch self {
        case .convert, .directTCP, .directMPTCP: true
        case .tcp, .mptcp, .mptcpService, .unix, .echo, .dashboard: false
        }
    }

    /// Whether it is dialled over MPTCP.
    public var isMultipath: Bool {
        switch self {
        case .mptcp, .mptcpService, .convert, .directMPTCP: true
        case .tcp, .unix, .directTCP, .echo, .dashboard: false
        }
    }

    /// Whether it is answered inside Braid, without dialling.
    public var isBuiltIn: Bool { self == .echo || self == .dashboard }

    init(_ node: TOMLNode) throws(TOMLBadValue) {
        let text = try node.string("an address such as \"mptcp://gateway.example.net:7143\"")
        let (scheme, rest) = try AddressScheme.split(
            text, known: Self.schemes, example: "mptcp://gateway.example.net:7143")
        switch scheme {
        case "unix": self = .unix(path: try AddressScheme.unixPath(rest, in: text))
        case "mptcp+srv":
            guard HostName.isValid(rest) else {
                throw TOMLBadValue(
                    "has \"\(text)\", whose service name is wrong", "write mptcp+srv://_braid._tcp.example.net")
            }
            self = .mptcpService(name: String(rest))
        case "direct+tcp", "direct+mptcp", "echo", "dashboard":
            guard rest.isEmpty else {
                throw TOMLBadValue("has \"\(text)\", and \(scheme):// takes nothing more", "write \"\(scheme)://\"")
            }
            switch scheme {
            case "direct+tcp": self = .directTCP
            case "direct+mptcp": self = .directMPTCP
            case "echo": self = .echo
            default: self = .dashboard
            }
        default:
            let address = try HostPort(parsing: rest, in: text, for: .dial)
            switch scheme {
            case "mptcp": self = .mptcp(address)
            case "convert": self = .convert(address)
            default: self = .tcp(address)
            }
        }
    }
}
