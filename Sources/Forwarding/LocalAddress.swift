internal import CLinux
internal import LinuxSystem

/// Whether an address is one of this host's: the kernel is asked each time, for addresses come and go.
enum LocalAddress {
    static func isOwn(_ address: SocketAddress) -> Bool {
        var c = address.c
        return unsafe linux_is_own_address(&c) == 1
    }
}
