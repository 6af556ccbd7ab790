/// What is wrong with bytes that should be netlink messages or attributes.
public enum NetlinkSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// It ends before its own length says.
    case truncated(offset: Int, needed: Int, available: Int)
    /// It cannot be what it should be.
    case malformed(offset: Int, String)

    /// One line for humans.
    public var description: String {
        switch self {
        case .truncated(let offset, let needed, let available):
            "netlink: truncated at byte \(offset): \(needed) bytes needed, \(available) there"
        case .malformed(let offset, let problem): "netlink: malformed at byte \(offset): \(problem)"
        }
    }
}
