internal import BasicContainers
internal import LinuxSystem
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
    /// A socket with the relay's options, and whether it is MPTCP.
    mutating func dialSocket(
        _ relay: Int, _ upstream: Int, _ target: SocketAddress, _ slot: UInt32
    ) throws(Errno) -> DialSocket {
        guard case .network(let wanted) = relays[relay].plan.upstreams[upstream].kind else { throw .invalidArgument }
        if wanted == .tcp || multipathMissing {
            if wanted == .mptcp { connections.slots[Int(slot)]?.multipathUnavailable = true }
            return DialSocket(
                socket: try prepared(try Socket.stream(target.family, .tcp), relay, target), isMultipath: false)
        }
        do throws(Errno) {
            return DialSocket(
                socket: try prepared(try Socket.stream(target.family, .mptcp), relay, target), isMultipath: true)
        } catch {
            switch error {
            case .protocolNotSupported, .invalidArgument:
                // A kernel without MPTCP: asking again is no use.
                multipathMissing = true
            case .protocolNotAvailable:
                // net.mptcp.enabled=0: that may change.
                break
            default: throw error
            }
            if !multipathReported {
                multipathReported = true
                shared.report(.multipathUnavailable(error: error))
            }
            connections.slots[Int(slot)]?.multipathUnavailable = true
            return DialSocket(
                socket: try prepared(try Socket.stream(target.family, .tcp), relay, target), isMultipath: false)
        }
    }

    private mutating func prepared(
        _ socket: consuming Socket, _ relay: Int, _ target: SocketAddress
    ) throws(Errno) -> Socket {
        for failure in socket.apply(relays[relay].plan.upstreamSocket, family: target.family) {
            report(failure, relay)
        }
        if let source = relays[relay].plan.upstreamSocket.sourceAddress, source.family == target.family {
            _ = try? socket.set(.bindAddressNoPort, 1)
            try socket.bind(to: source)
        }
        return socket
    }

    private mutating func report(_ failure: SocketOptionFailure, _ relay: Int) {
        guard relays[relay].reportedOptions.insert(failure.option.description).inserted else { return }
        let id = relays[relay].plan.id
        shared.report(
            failure.isUnsupported
                ? .optionUnsupported(relay: id, option: failure.option, error: failure.error)
                : .optionFailed(relay: id, option: failure.option, error: failure.error))
    }
}
