public import LinuxSystem
internal import SystemPackage

/// Follows the interfaces, addresses and default routes of this thread's network namespace. rtnetlink(7). Needs no rights.
///
/// Watch the descriptor for `readable`, then call `receive()`. Owned and used by one thread; nothing wakes it while nothing
/// changes.
public struct LinkMonitor: ~Copyable, Sendable {
    private var notices: NetlinkSocket
    private var requests: NetlinkSocket
    /// What there is now.
    public private(set) var table: LinkTable

    /// Starts to listen, and looks at everything once.
    ///
    /// - Throws: `NetlinkError`.
    public init() throws(NetlinkError) {
        self = try Self.started()
    }

    private init(_ notices: consuming NetlinkSocket, _ requests: consuming NetlinkSocket) {
        self.notices = notices
        self.requests = requests
        table = LinkTable()
    }

    private static func started() throws(NetlinkError) -> LinkMonitor {
        // Listening comes before the first dump, so that no change falls in between.
        let notices = try listening()
        let requests = try opened()
        var monitor = LinkMonitor(notices, requests)
        _ = try monitor.resynchronize()
        return monitor
    }

    /// The descriptor's number. It stays owned by this value.
    public var raw: CInt { notices.raw }

    /// Takes in what has been noticed since the last call; it does not wait for more.
    ///
    /// Notices that were lost (`ENOBUFS`) cost a look at everything, nothing else. A notice that makes no sense counts as lost.
    ///
    /// - Returns: what changed, in order; nothing also when the notices had no news.
    /// - Throws: `NetlinkError`, when the kernel cannot be asked; call it again then.
    public mutating func receive() throws(NetlinkError) -> [LinkChange] {
        var changes: [LinkChange] = []
        var isLost = false
        // A bound, so that a storm of notices does not keep the caller from everything else.
        for _ in 0..<1024 {
            do throws(NetlinkError) {
                guard let messages = try notices.receive() else { break }
                for message in messages { changes += try Self.apply(message, to: &table) }
            } catch {
                switch error {
                case .overrun, .syntax: isLost = true
                default: throw error
                }
            }
        }
        if isLost { return changes + (try resynchronize()) }
        if table.routesAreUncertain {
            changes += table.replaceRoutes(with: try dump([LinkMessages.getRoute]).routes)
        }
        return changes
    }

    /// Looks at everything anew.
    ///
    /// - Returns: what was missed.
    /// - Throws: `NetlinkError`.
    public mutating func resynchronize() throws(NetlinkError) -> [LinkChange] {
        table.replace(with: try dump([LinkMessages.getLink, LinkMessages.getAddress, LinkMessages.getRoute]))
    }

    static func opened() throws(NetlinkError) -> NetlinkSocket {
        do throws(Errno) {
            return try NetlinkSocket(.route)
        } catch {
            throw .system(error)
        }
    }

    private static func listening() throws(NetlinkError) -> NetlinkSocket {
        let socket = try opened()
        do throws(Errno) {
            for group in LinkMessages.groups { try socket.join(group: group) }
        } catch {
            throw .system(error)
        }
        return socket
    }

    private mutating func dump(_ types: [UInt16]) throws(NetlinkError) -> LinkTable {
        var fresh = LinkTable()
        for type in types {
            for message in try requests.exchange(LinkMessages.dump(type)) {
                _ = try Self.apply(message, to: &fresh)
            }
        }
        fresh.routesAreUncertain = false
        return fresh
    }

    private static func apply(
        _ message: NetlinkMessage, to table: inout LinkTable
    ) throws(NetlinkError) -> [LinkChange] {
        do throws(NetlinkSyntaxError) {
            return try table.apply(message)
        } catch {
            throw .syntax(error)
        }
    }
}
