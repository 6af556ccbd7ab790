public import LinuxSystem
public import SystemPackage

/// A command of the kernel's path manager (`MPTCP_PM_CMD_…`).
public enum PathManagerCommand: UInt8, Sendable, CaseIterable {
    case addEndpoint = 1
    case removeEndpoint = 2
    case getEndpoint = 3
    case flushEndpoints = 4
    case setLimits = 5
    case getLimits = 6
    case setFlags = 7
    /// From here on: of a userspace path manager, Linux 5.19.
    case announce = 8
    case withdraw = 9
    case createSubflow = 10
    case destroySubflow = 11
}

/// Why the path manager, or the closing of a subflow, did not do what it was asked for.
public enum PathManagerError: Error, Sendable, Hashable {
    /// This process lacks `CAP_NET_ADMIN` in the network namespace; the text says what needs it.
    case needsNetAdmin(String)
    /// The kernel has no such thing: no MPTCP at all, or none of what the text says.
    case unsupported(String)
    /// The kernel refused; the explanation is its own.
    case refused(PathManagerCommand, Errno, explanation: String?)
    /// There is no such endpoint, subflow or connection.
    case notFound(String)
    /// All eight endpoints are taken.
    case tooManyEndpoints
    /// The netlink socket or its answers failed.
    case netlink(NetlinkError)
}

extension PathManagerError: CustomStringConvertible {
    /// One line for humans.
    public var description: String {
        switch self {
        case .needsNetAdmin(let what): "\(what) needs CAP_NET_ADMIN"
        case .unsupported(let what): "this kernel has no \(what)"
        case .refused(let command, let errno, let explanation?): "path manager, \(command): \(errno) (\(explanation))"
        case .refused(let command, let errno, nil): "path manager, \(command): \(errno)"
        case .notFound(let what): "no such \(what)"
        case .tooManyEndpoints: "the kernel keeps at most \(PathEndpoint.maximumCount) endpoints"
        case .netlink(let error): "\(error)"
        }
    }
}
