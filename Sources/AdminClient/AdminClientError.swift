public import SystemPackage

/// Why the daemon did not do what was asked.
public enum AdminClientError: Error, Sendable, CustomStringConvertible {
    /// Nobody answers at the socket.
    case unreachable(path: String, Errno)
    /// Whoever answers there is no Braid daemon, or went away in the middle.
    case malformed(path: String, String)
    /// The terminal could not be used.
    case terminal(Errno)
    /// There is no such connection or link.
    case notFound(String)
    /// The daemon refuses it.
    case refused(status: Int, String)

    /// One line for people, with what to do.
    public var description: String {
        switch self {
        case .unreachable(let path, let error): "cannot reach the daemon at \(path): \(error)\(Self.remedy(error))"
        case .malformed(let path, let what): "what answers at \(path) is not understood: \(what)"
        case .terminal(let error): "cannot use the terminal: \(error)"
        case .notFound(let message), .refused(_, let message): message
        }
    }

    private static func remedy(_ error: Errno) -> String {
        switch error {
        case .noSuchFileOrDirectory, .connectionRefused:
            "; is it running (systemctl status braid)? --socket names another socket"
        case .permissionDenied: "; only root and the daemon's own user may"
        default: ""
        }
    }
}
