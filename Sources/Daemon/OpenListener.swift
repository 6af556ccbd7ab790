internal import Configuration
internal import Forwarding
internal import LinuxSystem

/// A listening socket of a relay. It stays open in this owner for as long as the daemon accepts, and an MPTCP one until the
/// last connection has ended: later subflows join through it.
struct OpenListener: ~Copyable {
    let socket: Socket
    /// Its number in this process.
    let id: Int
    /// The relay's id.
    private(set) var relay: Int
    /// The relays whose connections may have come by it.
    var users: Set<Int>
    /// As configured.
    let configured: ListenAddress
    /// As configured, with the port that the kernel chose for port 0.
    let address: String
    /// The file of a Unix socket that this daemon made.
    let path: String?
    let isMultipath: Bool

    init(
        socket: consuming Socket, id: Int, relay: Int, configured: ListenAddress, address: String, path: String?,
        isMultipath: Bool
    ) {
        self.socket = socket
        self.id = id
        self.relay = relay
        users = [relay]
        self.configured = configured
        self.address = address
        self.path = path
        self.isMultipath = isMultipath
    }

    /// Whoever comes from now on belongs to another relay.
    ///
    /// - Parameter only: nobody came before.
    mutating func move(to relay: Int, only: Bool = false) {
        self.relay = relay
        if only { users = [] }
        users.insert(relay)
    }
}
