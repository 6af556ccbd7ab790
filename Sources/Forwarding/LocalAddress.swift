internal import CLinux
internal import LinuxSystem

/// What the kernel says of this host's addresses: it is asked each time, for addresses and routes come and go.
enum LocalAddress {
    /// The address that the routing table has packets to a target carry, with port 0; `nil` when no route leads there.
    static func source(for target: SocketAddress) -> SocketAddress? {
        var c = target.c
        var source = SocketAddress.none.c
        guard unsafe linux_source_address(&c, &source) == 0 else { return nil }
        return SocketAddress(source).with(port: 0)
    }

    /// Whether an address is one of this host's.
    static func isOwn(_ address: SocketAddress) -> Bool {
        var c = address.c
        return unsafe linux_is_own_address(&c) == 1
    }
}
