internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage

/// Listening sockets that this process is given, and what is set on listening sockets.
extension ListenerOpener {
    /// Takes the sockets of a socket unit.
    mutating func takeInherited(
        _ name: String, _ address: ListenAddress, _ settings: RelaySettings, _ relay: Int
    ) throws(ListenRefusal) {
        guard try adopt(name, address, settings, relay, path: nil) == 0 else { return }
        throw ListenRefusal(
            call:
                "the service manager passed no socket of this name: its .socket unit needs FileDescriptorName=\(name)",
            error: .noSuchFileOrDirectory)
    }

    /// Takes the sockets over that an earlier run of the service had at an address, and that have listened on since.
    ///
    /// - Returns: false when there are none.
    mutating func takeStored(
        _ address: ListenAddress, _ settings: RelaySettings, _ relay: Int
    ) throws(ListenRefusal) -> Bool {
        let name = DescriptorStore.inheritedName(of: DescriptorKeeping.name(address))
        var path: String?
        if case .unix(let file) = address { path = file }
        return try adopt(name, address, settings, relay, path: path) > 0
    }

    private mutating func adopt(
        _ name: String, _ address: ListenAddress, _ settings: RelaySettings, _ relay: Int, path: String?
    ) throws(ListenRefusal) -> Int {
        var count = 0
        while true {
            let taken: InheritedListener?
            do throws(InheritedSocketError) {
                taken = try inherited.takeListener(named: name)
            } catch {
                throw ListenRefusal(call: error.description, error: .invalidArgument)
            }
            guard let listener = taken else { return count }
            count += 1
            let kind = listener.kind
            let socket = listener.takeSocket()
            let family: SocketAddress.Family = kind == .unix ? .unix : (try? socket.localAddress().family) ?? .ipv4
            try apply(settings, to: socket, family: family)
            append(
                socket, relay: relay, address, address: address.description, path: path,
                isMultipath: kind == .internet(.mptcp))
        }
    }

    /// Ends the opening: what the service manager passed and no listener names is closed, and said.
    consuming func finish() -> UniqueArray<OpenListener> {
        for leftover in inherited.leftovers {
            logger.event(
                .inheritedSocketUnused, "the service manager passed \"\(leftover.name)\", which no listener names",
                metadata: ["name": "\(leftover.name)", "descriptor": .stringConvertible(leftover.descriptor)])
        }
        for name in DescriptorStore.names(in: inherited) {
            // It would come back at each restart.
            do throws(DescriptorStoreError) {
                try DescriptorStore.remove(named: name)
            } catch {
                logger.warning("\"\(name)\" stays in the service manager's store: \(error)")
            }
        }
        return listeners
    }

    // MARK: Options

    /// Sets what accepted sockets inherit.
    func apply(
        _ settings: RelaySettings, to socket: borrowing Socket, family: SocketAddress.Family
    ) throws(ListenRefusal) {
        for failure in socket.apply(Self.plan(settings), family: family) {
            guard failure.isUnsupported else {
                throw ListenRefusal(call: failure.option.description, error: failure.error)
            }
            // User timeouts on MPTCP are watched by the loops themselves.
            Self.note(failure, settings, logger)
        }
    }

    /// Sets what sockets accepted from now on inherit, where a listener goes to another relay or its relay has changed.
    static func reapply(_ settings: RelaySettings, to socket: borrowing Socket, _ logger: Logger) {
        let family = (try? socket.localAddress().family) ?? .unix
        for failure in socket.apply(plan(settings), family: family) { note(failure, settings, logger) }
    }

    private static func plan(_ settings: RelaySettings) -> SocketPlan {
        var plan = SocketPlan(settings.listenSocket)
        // Both have their own place: an address to bind to is the listener's own, and Fast Open has a queue there.
        plan.sourceAddress = nil
        plan.fastOpen = false
        return plan
    }

    private static func note(_ failure: SocketOptionFailure, _ settings: RelaySettings, _ logger: Logger) {
        logger.event(
            .optionUnsupported, "\(failure.option) is not available on this kind of socket: \(failure.error)",
            metadata: ["relay": "\(settings.name)", "option": "\(failure.option)", "reason": "\(failure.error)"])
    }
}
