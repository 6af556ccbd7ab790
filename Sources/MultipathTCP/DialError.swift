public import LinuxSystem
public import SystemPackage

/// One address that was tried, and what came of it.
public struct DialAttempt: Sendable, Hashable, CustomStringConvertible {
    /// The address dialled.
    public let address: SocketAddress
    /// Why it did not connect.
    public let error: Errno

    /// `192.0.2.1:80: Connection refused`.
    public var description: String { "\(address): \(error)" }
}

/// Why there is no connection.
public enum DialError: Error, Sendable, Hashable {
    /// The name has no address; the explanation is the system's.
    case unresolvable(host: String, explanation: String)
    /// Every address failed.
    case failed([DialAttempt])
    /// The time was over. Addresses that had failed by then are listed; the others had not answered.
    case timedOut([DialAttempt])
    /// The cancellation descriptor became readable.
    case canceled
    /// There was not even a socket to dial with.
    case system(Errno)
}

extension DialError: CustomStringConvertible {
    /// One line for humans.
    public var description: String {
        switch self {
        case .unresolvable(let host, let explanation): "\(host): \(explanation)"
        case .failed(let attempts): attempts.map(\.description).joined(separator: "; ")
        case .timedOut(let attempts):
            (attempts.map(\.description) + ["no answer in time"]).joined(separator: "; ")
        case .canceled: "canceled"
        case .system(let errno): "\(errno)"
        }
    }
}
