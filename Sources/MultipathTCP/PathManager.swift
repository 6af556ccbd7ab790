internal import LinuxSystem
internal import SystemPackage

/// The kernel's MPTCP path manager in this thread's network namespace: which addresses connections use, and how many. It
/// speaks to the generic netlink family `mptcp_pm`. ip-mptcp(8).
///
/// Reading works for everyone, changing needs `CAP_NET_ADMIN`. Every call asks and waits for the kernel's answer, some tens of
/// microseconds (0.3 s for `setFlags` where a thousand connections are told). Owned and used by one thread.
///
/// What a kernel can do is asked of it, never concluded from its version: `has(_:)`.
public struct PathManager: ~Copyable, Sendable {
    private var socket: NetlinkSocket
    let family: NetlinkFamily

    /// Opens it.
    ///
    /// - Throws: `PathManagerError.unsupported` on a kernel without MPTCP, `.netlink(.system)` when there is no socket.
    public init() throws(PathManagerError) {
        var socket = try Self.opened(.generic)
        family = try Self.family(on: &socket)
        self.socket = socket
    }

    /// Whether the kernel knows a command.
    public func has(_ command: PathManagerCommand) -> Bool {
        // A kernel that does not list its commands has at least those of the first version.
        family.commands.isEmpty
            ? command.rawValue <= PathManagerCommand.setFlags.rawValue
            : family.commands.contains(UInt32(command.rawValue))
    }

    /// Starts listening to what happens to all connections of the namespace. `PathEvents` says what.
    ///
    /// - Throws: `PathManagerError.needsNetAdmin`; `.unsupported` before Linux 5.12.
    public func events() throws(PathManagerError) -> PathEvents {
        try PathEvents(family)
    }

    // MARK: Requests

    /// Sends a command and answers the messages it brought.
    mutating func perform(
        _ command: PathManagerCommand, flags: NetlinkFlags = [], notFound: String? = nil,
        _ fill: (inout NetlinkRequest) -> Void = { _ in }
    ) throws(PathManagerError) -> [NetlinkMessage] {
        guard has(command) else { throw .unsupported("path manager command \(command)") }
        var request = NetlinkRequest(family: family.id, command: command.rawValue, flags: flags)
        fill(&request)
        do throws(NetlinkError) {
            return try socket.exchange(request)
        } catch {
            throw Self.meaning(of: error, command, notFound: notFound)
        }
    }

    static func meaning(
        of error: NetlinkError, _ command: PathManagerCommand, notFound: String?
    ) -> PathManagerError {
        guard case .refused(let errno, let explanation) = error else { return .netlink(error) }
        switch errno {
        case .notPermitted, .permissionDenied: return .needsNetAdmin("path manager command \(command)")
        case .notSupported: return .unsupported("path manager command \(command)")
        case .invalidArgument, .noSuchProcess, .noSuchFileOrDirectory, .socketNotConnected:
            let isMissing = explanation.map { $0.contains("not found") || $0.contains("invalid token") } ?? false
            if let notFound, isMissing || errno != .invalidArgument { return .notFound(notFound) }
        default: break
        }
        return .refused(command, errno, explanation: explanation)
    }

    static func opened(_ netlinkProtocol: NetlinkSocket.NetlinkProtocol) throws(PathManagerError) -> NetlinkSocket {
        do throws(Errno) {
            return try NetlinkSocket(netlinkProtocol)
        } catch {
            throw .netlink(.system(error))
        }
    }

    private static func family(on socket: inout NetlinkSocket) throws(PathManagerError) -> NetlinkFamily {
        do throws(NetlinkError) {
            return try NetlinkFamily.named("mptcp_pm", on: &socket)
        } catch {
            if case .refused(.noSuchFileOrDirectory, _) = error { throw .unsupported("MPTCP path manager") }
            throw .netlink(error)
        }
    }

    /// Runs a decoder over an answer.
    static func decode<Value>(
        _ message: NetlinkMessage, _ decoder: (Span<UInt8>) throws(NetlinkSyntaxError) -> Value
    ) throws(PathManagerError) -> Value {
        do throws(NetlinkSyntaxError) {
            return try decoder(message.payload.span)
        } catch {
            throw .netlink(.syntax(error))
        }
    }
}
