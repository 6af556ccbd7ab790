public import LinuxSystem
internal import Synchronization
public import SystemPackage

/// Whether this host gives out MPTCP sockets, and how to get the best that it gives.
public enum MultipathSupport: Sendable, Hashable {
    /// It does.
    case available
    /// It does not, and never will in the life of this process: the kernel has none.
    case never
    /// It does not now, and may later: switched off, or refused by a filter.
    case notNow(NotMultipathReason)

    /// Asks by opening a socket, unless the answer was `never` once.
    ///
    /// - Throws: `Errno` when there is no socket at all (`.tooManyOpenFiles`, `.addressFamilyNotSupported`).
    public static func current(_ family: SocketAddress.Family = .ipv4) throws(Errno) -> MultipathSupport {
        let opened = try socket(family, wanting: .mptcp)
        switch opened.reason {
        case nil: return .available
        case .kernelWithoutMPTCP: return .never
        case .some(let reason): return .notNow(reason)
        }
    }

    /// A socket of the protocol wanted, or plain TCP where the host has no MPTCP to give.
    ///
    /// - Throws: `Errno` when there is no socket at all: `.tooManyOpenFiles`, `.tooManyOpenFilesInSystem`,
    ///   `.addressFamilyNotSupported`, `.noMemory`.
    public static func socket(
        _ family: SocketAddress.Family, wanting streamProtocol: StreamProtocol
    ) throws(Errno) -> OpenedSocket {
        guard streamProtocol == .mptcp else {
            return OpenedSocket(try Socket.stream(family, .tcp), .tcp, .notRequested)
        }
        if kernelHasNone.load(ordering: .relaxed) {
            return OpenedSocket(try Socket.stream(family, .tcp), .tcp, .kernelWithoutMPTCP)
        }
        do {
            return OpenedSocket(try Socket.stream(family, .mptcp), .mptcp, nil)
        } catch {
            guard let reason = reason(for: error) else { throw error }
            if reason == .kernelWithoutMPTCP { kernelHasNone.store(true, ordering: .relaxed) }
            return OpenedSocket(try Socket.stream(family, .tcp), .tcp, reason)
        }
    }

    /// What an error of `socket(…, IPPROTO_MPTCP)` says about MPTCP; `nil` when it says nothing about it, and plain TCP would
    /// fail alike.
    static func reason(for error: Errno) -> NotMultipathReason? {
        switch error {
        case .invalidArgument, .protocolNotSupported: .kernelWithoutMPTCP
        case .protocolNotAvailable: .disabledBySysctl
        case .permissionDenied, .notPermitted: .refusedBySystem(error)
        default: nil
        }
    }

    /// Only ever set, from any thread: a kernel does not learn MPTCP while it runs.
    private static let kernelHasNone = Atomic(false)
}

/// A socket and what it turned out to be.
public struct OpenedSocket: ~Copyable, Sendable {
    /// The socket, not connected, not bound.
    public var socket: Socket
    /// What it is.
    public let streamProtocol: StreamProtocol
    /// Why it is not MPTCP; `nil` when it is.
    public let reason: NotMultipathReason?

    init(_ socket: consuming Socket, _ streamProtocol: StreamProtocol, _ reason: NotMultipathReason?) {
        self.socket = socket
        self.streamProtocol = streamProtocol
        self.reason = reason
    }

    /// Gives the socket to its owner.
    public consuming func take() -> Socket { socket }
}
