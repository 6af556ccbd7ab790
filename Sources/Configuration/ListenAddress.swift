import TOML

/// What a relay accepts. Prints as it is written in the configuration.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// Plain TCP.
    case tcp(HostPort)
    /// MPTCP, which takes plain TCP clients as well.
    case mptcp(HostPort)
    /// A Unix stream socket at an absolute path.
    case unix(path: String)
    /// A listening socket from systemd, by its `FileDescriptorName=`.
    case descriptor(name: String)
    /// A SOCKS5 server (RFC 1928): CONNECT.
    case socks5(HostPort)
    /// An HTTP proxy: CONNECT.
    case http(HostPort)
    /// Connections redirected by netfilter.
    case transparent(HostPort)
    /// An RFC 8803 transport converter, on MPTCP.
    case convert(HostPort)

    private static let schemes = ["tcp", "mptcp", "unix", "fd", "socks5", "http", "transparent", "convert"]

    /// The form of the configuration: `SCHEME://REST`.
    public var description: String {
        switch self {
        case .tcp(let address): "tcp://\(address)"
        case .mptcp(let address): "mptcp://\(address)"
        case .unix(let path): "unix://\(path)"
        case .descriptor(let name): "fd://\(name)"
        case .socks5(let address): "socks5://\(address)"
        case .http(let address): "http://\(address)"
        case .transparent(let address): "transparent://\(address)"
        case .convert(let address): "convert://\(address)"
        }
    }

    /// What stands before `://`.
    public var scheme: String {
        switch self {
        case .tcp: "tcp"
        case .mptcp: "mptcp"
        case .unix: "unix"
        case .descriptor: "fd"
        case .socks5: "socks5"
        case .http: "http"
        case .transparent: "transparent"
        case .convert: "convert"
        }
    }

    /// The host and port, of those that have one.
    public var hostPort: HostPort? {
        switch self {
        case .tcp(let address), .mptcp(let address), .socks5(let address), .http(let address),
            .transparent(let address), .convert(let address):
            address
        case .unix, .descriptor: nil
        }
    }

    /// Whether each client says where it wants to go.
    public var choosesDestination: Bool {
        switch self {
        case .socks5, .http, .transparent, .convert: true
        case .tcp, .mptcp, .unix, .descriptor: false
        }
    }

    init(_ node: TOMLNode) throws(TOMLBadValue) {
        let text = try node.string("an address such as \"tcp://127.0.0.1:8080\"")
        let (scheme, rest) = try AddressScheme.split(text, known: Self.schemes, example: "tcp://127.0.0.1:8080")
        switch scheme {
        case "unix": self = .unix(path: try AddressScheme.unixPath(rest, in: text))
        case "fd": self = .descriptor(name: try AddressScheme.descriptorName(rest, in: text))
        default:
            let address = try HostPort(parsing: rest, in: text, for: .listen)
            switch scheme {
            case "mptcp": self = .mptcp(address)
            case "socks5": self = .socks5(address)
            case "http": self = .http(address)
            case "transparent": self = .transparent(address)
            case "convert": self = .convert(address)
            default: self = .tcp(address)
            }
        }
    }
}
