internal import BasicContainers
internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// A socket that is about to connect.
struct DialSocket: ~Copyable {
    let socket: Socket
    let isMultipath: Bool

    consuming func release() -> CInt {
        socket.release()
    }
}

/// How a socket towards an upstream is made.
extension EventLoop {
    /// A socket with the relay's options; plain TCP where this host gives no MPTCP.
    mutating func dialSocket(
        _ relay: Int, _ upstream: Int, _ target: SocketAddress, from source: SocketAddress, _ slot: UInt32
    ) throws(Errno) -> DialSocket {
        guard let wanted = relays[relay].plan.upstreams[upstream].kind.streamProtocol else { throw .invalidArgument }
        let opened = try MultipathSupport.socket(target.family, wanting: wanted)
        let isMultipath = opened.streamProtocol == .mptcp
        if isMultipath { witness.prepare() }
        if wanted == .mptcp, let reason = opened.reason {
            connections.slots[Int(slot)]?.multipathUnavailable = true
            connections.slots[Int(slot)]?.notMultipathReason = reason
            if !multipathReported {
                multipathReported = true
                tell(.multipathUnavailable(relay: relays[relay].plan.id, reason: reason))
            }
        }
        return DialSocket(socket: try prepared(opened.take(), relay, target, source), isMultipath: isMultipath)
    }

    private mutating func prepared(
        _ socket: consuming Socket, _ relay: Int, _ target: SocketAddress, _ linkSource: SocketAddress
    ) throws(Errno) -> Socket {
        for failure in socket.apply(relays[relay].dialSocket, family: target.family) {
            report(failure, relay)
        }
        let configured = relays[relay].plan.upstreamSocket.sourceAddress
        let source = configured ?? linkSource
        if source.family == target.family {
            // Without it bind(2) would take a port from all destinations, not from this one.
            _ = try? socket.set(.bindAddressNoPort, 1)
            try socket.bind(to: source)
        }
        return socket
    }

    private mutating func report(_ failure: SocketOptionFailure, _ relay: Int) {
        guard relays[relay].reportedOptions.insert(failure.option.description).inserted else { return }
        tell(.optionNotSet(relay: relays[relay].plan.id, failure))
    }
}
