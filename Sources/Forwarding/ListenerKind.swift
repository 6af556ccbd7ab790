/// What a listener's clients say before their data.
public enum ListenerKind: UInt8, Sendable {
    /// Nothing: where they go is configured.
    case plain
    /// RFC 1928.
    case socks5
    /// CONNECT, RFC 9110 section 9.3.6.
    case http
    /// Nothing: netfilter sent them here, and the kernel knows where they wanted to go.
    case transparent
    /// RFC 8803.
    case convert
}
