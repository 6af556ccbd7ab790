internal import CLinux
internal import CSystemd
internal import Glibc
public import LinuxSystem
public import SystemPackage

/// The descriptors that the service manager passed to this process: sockets of socket units by their
/// `FileDescriptorName=`, and what an earlier run of the service put into the ``DescriptorStore``.
///
/// Each is handed out once; what nobody takes is closed at the end of this value's life. See sd_listen_fds(3).
public struct InheritedSockets: ~Copyable {
    private struct Entry {
        let name: String
        let raw: CInt
    }

    private var entries: [Entry]

    /// Takes over the descriptors of `LISTEN_FDS`, sets close-on-exec on them and clears `LISTEN_PID`, `LISTEN_FDS` and
    /// `LISTEN_FDNAMES`, so that no child takes them for its own. Without these variables, or when they are meant for
    /// another process, there are none. To be called once, before any other thread runs: it changes the environment.
    ///
    /// The corresponding C function is `sd_listen_fds_with_names`.
    /// - Throws: ``InheritedSocketError/environment(_:)`` when the variables are malformed.
    public static func take() throws(InheritedSocketError) -> InheritedSockets {
        var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = unsafe sd_listen_fds_with_names(1, &list)
        if count < 0 { throw .environment(Errno(rawValue: -count)) }
        var names: [String] = []
        // The list ends with a null pointer; it and its strings are ours to free.
        if let list = unsafe list {
            var next = unsafe list
            while let name = unsafe next.pointee {
                unsafe names.append(String(cString: name))
                unsafe free(name)
                unsafe next += 1
            }
            unsafe free(list)
        }
        return InheritedSockets(names: names, descriptors: (0..<count).map { SD_LISTEN_FDS_START + $0 })
    }

    /// Takes over descriptors that another process has sent, as if the service manager had passed them.
    ///
    /// - Parameters:
    ///   - names: one for each.
    ///   - descriptors: this process's own from here on.
    public static func adopting(names: [String], descriptors: [CInt]) -> InheritedSockets {
        InheritedSockets(names: names, descriptors: descriptors)
    }

    /// No descriptors.
    public static var none: InheritedSockets { InheritedSockets(names: [], descriptors: []) }

    /// Takes over these descriptors; those without a name are called `unknown`, as libsystemd does.
    init(names: [String], descriptors: [CInt]) {
        entries = descriptors.enumerated().map { index, raw in
            Entry(name: index < names.count ? names[index] : "unknown", raw: raw)
        }
    }

    deinit {
        for entry in entries { linux_close(entry.raw) }
    }

    /// The names of what has not been taken, in the order in which it was passed. One name may stand for several.
    public var names: [String] { entries.map(\.name) }

    /// The name and number of what has not been taken, for a log record before it is closed.
    public var leftovers: [(name: String, descriptor: CInt)] { entries.map { ($0.name, $0.raw) } }

    /// Hands out the next descriptor called `name`, checked to be a listening stream socket and made non-blocking, or nil
    /// when there is none (any more): a socket unit with several `ListenStream=` passes several of one name.
    ///
    /// - Throws: ``InheritedSocketError`` when it is something else; it then stays here, to be closed with the rest.
    public mutating func takeListener(named name: String) throws(InheritedSocketError) -> InheritedListener? {
        guard let index = entries.firstIndex(where: { $0.name == name }) else { return nil }
        let raw = entries[index].raw
        let kind = try Self.listenerKind(of: raw, name: name)
        let answer = linux_set_nonblocking(raw)
        if answer < 0 { throw .failed(name: name, errno: Errno(rawValue: -answer)) }
        entries.remove(at: index)
        return InheritedListener(name: name, kind: kind, socket: Socket(owning: raw))
    }

    /// Hands out the next descriptor called `name`, whatever it is, or nil when there is none (any more).
    public mutating func takeDescriptor(named name: String) -> Descriptor? {
        guard let index = entries.firstIndex(where: { $0.name == name }) else { return nil }
        return Descriptor(owning: entries.remove(at: index).raw)
    }

    private static func listenerKind(of raw: CInt, name: String) throws(InheritedSocketError) -> InheritedListener.Kind
    {
        switch braid_is_socket(raw) {
        case 1: break
        case 0: throw .notASocket(name: name)
        case let answer: throw .failed(name: name, errno: Errno(rawValue: -answer))
        }
        guard try option(.type, of: raw, name) == LINUX_SOCK_STREAM_NUMBER else { throw .notAStream(name: name) }
        guard try option(.isListening, of: raw, name) == 1 else { throw .notListening(name: name) }
        let domain = try option(.domain, of: raw, name)
        let number = try option(.streamProtocol, of: raw, name)
        switch domain {
        case AF_UNIX: return .unix
        case AF_INET, AF_INET6:
            if let streamProtocol = StreamProtocol(number: number) { return .internet(streamProtocol) }
            fallthrough
        default: throw .unsupported(name: name, domain: domain, protocolNumber: number)
        }
    }

    private static func option(
        _ option: SocketOption, of raw: CInt, _ name: String
    ) throws(InheritedSocketError) -> CInt {
        var value: CInt = 0
        let answer = unsafe linux_get_option(raw, option.level, option.name, &value)
        if answer < 0 { throw .failed(name: name, errno: Errno(rawValue: -answer)) }
        return value
    }
}

/// `SOCK_STREAM`, which Glibc's headers give Swift as an enumeration.
private let LINUX_SOCK_STREAM_NUMBER = CInt(SOCK_STREAM.rawValue)

/// A listening socket from the service manager.
public struct InheritedListener: ~Copyable, Sendable {
    /// What it accepts.
    public enum Kind: Sendable, Equatable {
        /// Connections over IP. Which protocol is the socket's own: systemd before 257 ignores `SocketProtocol=mptcp`.
        case internet(StreamProtocol)
        /// Connections on a Unix socket.
        case unix
    }

    /// Its `FileDescriptorName=`.
    public let name: String
    /// What it accepts.
    public let kind: Kind
    /// The socket itself: listening, non-blocking, closed on exec.
    public let socket: Socket

    /// Gives up the socket; the rest is forgotten.
    public consuming func takeSocket() -> Socket { socket }
}

/// Why a descriptor from the service manager cannot be listened on.
public enum InheritedSocketError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `LISTEN_PID`, `LISTEN_FDS` or `LISTEN_FDNAMES` are malformed, or a descriptor they promise is not open.
    case environment(Errno)
    /// The descriptor of this name is no socket.
    case notASocket(name: String)
    /// The socket of this name is not `SOCK_STREAM`: its unit needs `ListenStream=`.
    case notAStream(name: String)
    /// The socket of this name does not listen: its unit has `Accept=yes`, or it is a connection.
    case notListening(name: String)
    /// The socket of this name is neither TCP, MPTCP nor Unix.
    case unsupported(name: String, domain: CInt, protocolNumber: CInt)
    /// The system refused a question about the descriptor of this name.
    case failed(name: String, errno: Errno)

    /// One line for people.
    public var description: String {
        switch self {
        case .environment(let errno):
            "the sockets from the service manager cannot be taken (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES): \(errno)"
        case .notASocket(let name): "\"\(name)\" from the service manager is not a socket"
        case .notAStream(let name):
            "\"\(name)\" from the service manager is not a stream socket; use ListenStream= in its socket unit"
        case .notListening(let name):
            "\"\(name)\" from the service manager does not listen; use Accept=no in its socket unit"
        case .unsupported(let name, let domain, let number):
            "\"\(name)\" from the service manager is neither TCP, MPTCP nor Unix (domain \(domain), protocol \(number))"
        case .failed(let name, let errno): "\"\(name)\" from the service manager cannot be examined: \(errno)"
        }
    }
}
