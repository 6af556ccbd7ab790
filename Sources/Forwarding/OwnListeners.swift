public import LinuxSystem
internal import Synchronization

/// Where this daemon listens over IP. Shared by all relays and loops, for a reload may add to it; the lock is held for one copy.
public final class OwnListeners: Sendable {
    private let addresses: Mutex<[SocketAddress]>

    /// These.
    public init(_ addresses: [SocketAddress]) {
        self.addresses = Mutex(addresses)
    }

    /// One more.
    public func add(_ address: SocketAddress) {
        addresses.withLock { if !$0.contains(address) { $0.append(address) } }
    }

    /// These, and none of those before: an address that was given up may be reached again.
    public func set(_ addresses: [SocketAddress]) {
        self.addresses.withLock { $0 = addresses }
    }

    var all: [SocketAddress] { addresses.withLock { $0 } }
}
