public import LinuxSystem

/// Something in this process that serves connections: an upstream that need not be dialled.
public final class ConnectionTaker: Sendable, Hashable {
    private let take: @Sendable (consuming Socket) -> Void

    /// - Parameter take: takes the server's end of a connection over; called on a loop's thread, and must not block.
    public init(_ take: @escaping @Sendable (consuming Socket) -> Void) {
        self.take = take
    }

    func hand(over socket: consuming Socket) { take(socket) }

    /// Each is its own.
    public static func == (left: ConnectionTaker, right: ConnectionTaker) -> Bool { left === right }

    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
