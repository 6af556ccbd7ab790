internal import CTLS

/// TLS on one socket: reads and writes it, and never blocks. A handle: copies mean the same session.
///
/// Answers are those of recv(2) and send(2): a count, or a negative errno; `-EAGAIN` when the socket has to become readable
/// (or writable, when `hasUnsent`).
///
/// Safety: the session lives from `TLSContext.begin` until `end`, which its one owner calls last; it belongs to the thread of
/// that owner.
@safe
public struct TLSSession {
    private let session: OpaquePointer

    init(_ session: OpaquePointer) {
        unsafe self.session = session
    }

    /// Goes on with the handshake: 0 when it is done, `-EPROTO` when the two ends cannot agree.
    public func handshake() -> CInt { unsafe braid_tls_handshake(session) }

    /// Reads as many bytes as are there and have room: 0 at the end that the peer has announced, `-ECONNRESET` for one that
    /// was not.
    ///
    /// - Parameter dry: leaves the socket alone: only what was read ahead is taken.
    public func receive(_ bytes: UnsafeMutableRawPointer?, _ count: Int, dry: Bool = false) -> Int64 {
        unsafe braid_tls_receive(session, bytes, count, dry)
    }

    /// The last `receive` has left something that no event of the socket will tell of.
    public var hasMore: Bool { unsafe braid_tls_has_more(session) }

    /// Takes all of the bytes for sending, or none (`-EAGAIN`) while earlier ones wait for the socket.
    public func send(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int64 { unsafe braid_tls_send(session, bytes, count) }

    /// Bytes wait for the socket to become writable.
    public var hasUnsent: Bool { unsafe braid_tls_has_unsent(session) }

    /// Writes what waits: 0 when nothing waits any more.
    public func flush() -> CInt { unsafe braid_tls_flush(session) }

    /// Says that no more will be sent: close_notify, then shutdown(2). 0 when it is done.
    public func finish() -> CInt { unsafe braid_tls_finish(session) }

    /// Why it has failed, in words; empty when it has not.
    public var failure: String { unsafe String(cString: braid_tls_failure(session)) }

    /// It was resumed, or begun by a pre-shared key.
    public var wasKnown: Bool { unsafe braid_tls_was_known(session) }

    /// Frees the session, and says nothing to the peer.
    public func end() { unsafe braid_tls_free(session) }
}
