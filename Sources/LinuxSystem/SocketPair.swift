internal import CLinux
public import SystemPackage

/// Two Unix stream sockets that are connected to one another. socketpair(2).
public struct SocketPair: ~Copyable {
    /// One end.
    public let first: Socket
    /// The other end.
    public let second: Socket

    /// - Throws: `Errno.tooManyOpenFiles` and its like.
    public init() throws(Errno) {
        var raw: (CInt, CInt) = (-1, -1)
        _ = try check(unsafe linux_socket_pair(&raw.0, &raw.1))
        first = Socket(owning: raw.0)
        second = Socket(owning: raw.1)
    }

    /// Takes the ends apart.
    ///
    /// - Parameter taker: gets the second end.
    /// - Returns: the first.
    public consuming func split(_ taker: (consuming Socket) -> Void) -> Socket {
        taker(second)
        return first
    }
}
