public import LinuxSystem
internal import SystemPackage

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
