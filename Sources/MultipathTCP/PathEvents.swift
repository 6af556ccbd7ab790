public import LinuxSystem
public import SystemPackage

/// Listens to what happens to the multipath connections of a network namespace. Made by `PathManager.events()`.
///
/// Watch the descriptor for `readable`, then call `receive()` until it has no more. Owned and used by one thread.
public struct PathEvents: ~Copyable, Sendable {
    private var socket: NetlinkSocket
    private let family: UInt16
    private var postponed: NetlinkError?

    init(_ family: NetlinkFamily) throws(PathManagerError) {
        guard let group = family.groups["mptcp_pm_events"] else { throw .unsupported("MPTCP path events") }
        let socket = try PathManager.opened(.generic)
        do throws(Errno) {
            try socket.join(group: group)
        } catch {
            if error == .notPermitted { throw .needsNetAdmin("listening to MPTCP path events") }
            throw .netlink(.system(error))
        }
        self.socket = socket
        self.family = family.id
    }

    /// The descriptor's number. It stays owned by this value.
    public var raw: CInt { socket.raw }

    /// Kinds of events.
    public struct Kinds: OptionSet, Sendable, Hashable {
        /// A bit for each `MPTCP_EVENT_…`.
        public let rawValue: UInt32

        /// From bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Connections that are made, established and closed: several for each connection.
        public static let connections = Kinds(rawValue: 1 << 1 | 1 << 2 | 1 << 3)
        /// Addresses that peers announce and withdraw.
        public static let addresses = Kinds(rawValue: 1 << 6 | 1 << 7)
        /// Subflows that joined: one for each subflow.
        public static let subflowEstablished = Kinds(rawValue: 1 << 10)
        /// Subflows that ended before their connection.
        public static let subflowClosed = Kinds(rawValue: 1 << 11)
        /// Subflows that became backup, or no more.
        public static let subflowPriority = Kinds(rawValue: 1 << 13)
    }

    /// Lets only some kinds through from now on; the others wake nobody and overrun nothing. At first there are all.
    ///
    /// - Throws: `Errno`.
    public borrowing func limit(to kinds: Kinds) throws(Errno) {
        try socket.filter(commands: kinds.rawValue)
    }

    /// What has happened since the last call, in order. It does not wait.
    ///
    /// - Returns: the events; none when nothing (more) happened. Call it again until then.
    /// - Throws: `NetlinkError.overrun` when events were lost: what is known of the connections must be asked for anew
    ///   (`SocketDiagnostics.subflows()`). `.syntax` for an event that makes no sense. The next call goes on behind either.
    public mutating func receive() throws(NetlinkError) -> [PathEvent] {
        if let error = postponed {
            postponed = nil
            throw error
        }
        var events: [PathEvent] = []
        do throws(NetlinkError) {
            // A bound, so that a storm of events does not keep the caller from everything else.
            while events.count < 1024, let messages = try socket.receive() {
                for message in messages where message.type == family {
                    do throws(NetlinkSyntaxError) {
                        events.append(try PathEvent(message.payload.span))
                    } catch {
                        postponed = .syntax(error)
                    }
                }
                if postponed != nil { break }
            }
        } catch {
            // What came before the error is still true.
            if events.isEmpty { throw error }
            postponed = error
        }
        if events.isEmpty, let error = postponed {
            postponed = nil
            throw error
        }
        return events
    }
}
