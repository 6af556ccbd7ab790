public import MultipathTCP
public import SystemPackage

/// What a loop tells the main thread.
public enum LoopReport: Sendable {
    /// A connection was connected; told while `LoopShared.setOpeningsWanted` says so.
    case connectionOpened(ConnectionOpening)
    /// A connection ended.
    case connectionEnded(ConnectionRecord)
    /// The addresses of an upstream are wanted: a connection waits for them.
    case resolve(relay: Int, upstream: Int)
    /// The addresses of a destination that a client has chosen are wanted; `LoopCommand.destinationResolved` answers.
    case resolveDestination(request: UInt64, name: String, port: UInt16)
    /// A client says who it is; `LoopCommand.userChecked` answers.
    case checkUser(relay: Int, request: UInt64, client: ClientKey, name: [UInt8], password: [UInt8])
    /// A member of a relay's pool could not be connected to; told at most once a second and member.
    case memberFailed(relay: Int, member: Int, error: Errno)
    /// A member that had failed was connected to.
    case memberConnected(relay: Int, member: Int)
    /// A socket option could not be set on a socket to an upstream; told once a relay and option.
    case optionNotSet(relay: Int, SocketOptionFailure)
    /// Accepting rests, for want of descriptors or memory; told once until it works again.
    case acceptBackoff(relay: Int, error: Errno)
    /// Accepting works again.
    case acceptResumed(relay: Int)
    /// A relay, or the daemon, has as many connections as it may; further clients wait. Told once a minute.
    case limitReached(relay: Int)
    /// A listener failed for good and is no longer accepted from.
    case listenerFailed(relay: Int, error: Errno)
    /// This host gives no MPTCP sockets: upstreams are dialled over plain TCP. Told once.
    case multipathUnavailable(relay: Int, reason: NotMultipathReason)
    /// Bytes move again, since `LoopShared.awaitActivity()` was called last.
    case active
    /// What was counted on links has changed since it was told last; at most twice a second, after `LoopCommand.tellOfLinks`.
    case linksCounted
    /// What bulk connections do over each link; about ten times a second while there are any, and once when there are none left.
    case pathQuality(PathQuality)
    /// A relay that was retired has no connection left in this loop.
    case relayEmptied(relay: Int)
    /// The number of connections has changed since `LoopShared.connectionsSeen()` was called last.
    case connectionsChanged
    /// A subflow acknowledges nothing while another one of its connection works; told once until it moves again.
    case subflowStalled(SubflowStall)
    /// No subflow of a connection acknowledges anything; told once until one moves again.
    case connectionStalled(ConnectionStall)
    /// A part of the answer to `LoopCommand.list`: at most 64 connections, none twice; `isLast` with the last part, which may
    /// be empty. Connections that begin or end meanwhile may be in it or not.
    case listed(request: UInt64, [ConnectionSnapshot], isLast: Bool)
    /// The answer to `LoopCommand.close`; not found: this loop has no such connection (any more).
    case closeAnswered(connection: UInt64, found: Bool)
    /// After a drain began: the loop has no connection left.
    case drained
    /// The loop cannot go on.
    case failed(call: StaticString, error: Errno)
}
