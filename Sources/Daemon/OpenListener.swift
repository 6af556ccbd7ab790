internal import Configuration
internal import Forwarding
internal import LinuxSystem

/// A listening socket of a relay. It stays open in this owner for as long as the daemon accepts, and an MPTCP one until the
/// last connection has ended: later subflows join through it.
struct OpenListener: ~Copyable {
    let socket: Socket
    /// The relay's id.
    let relay: Int
    /// What its clients say first.
    var kind = ListenerKind.plain
    /// As configured, with the port that the kernel chose for port 0.
    let address: String
    /// The file of a Unix socket that this daemon made.
    let path: String?
    let isMultipath: Bool
}
