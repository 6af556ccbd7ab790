internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage

/// The running process's side of a takeover.
extension Supervisor {
    /// A new process has come: it gets every listening socket.
    mutating func letSuccessorIn() {
        guard door.letIn(poller, logger) else { return }
        do throws(Errno) {
            if draining { throw .canceled }
            for index in 0..<listeners.count {
                let name = DescriptorKeeping.name(listeners[index].configured)
                try door.successor?.send(Takeover.Word.listener + name, descriptor: listeners[index].socket.raw)
            }
            try door.successor?.send(Takeover.Word.end)
        } catch {
            logger.warning("the listening sockets cannot be handed out: \(error)")
            door.dropSuccessor()
        }
    }

    /// The new process has something to say.
    mutating func hearSuccessor() {
        do throws(Errno) {
            guard let message = try door.successor?.receive() else { return lostSuccessor() }
            switch message.text {
            case Takeover.Word.admin:
                admin.stop(logger)
                door.close(logger)
                try door.successor?.send(Takeover.Word.done)
            case Takeover.Word.ready:
                handOver(to: try door.successor?.peer().process ?? 0)
                try door.successor?.send(Takeover.Word.handed)
                door.dropSuccessor()
            default: break
            }
        } catch .wouldBlock {
            return
        } catch {
            lostSuccessor()
        }
    }

    private mutating func lostSuccessor() {
        door.dropSuccessor()
        if !handedOver { logger.warning("the process that was to take over is gone; everything runs on here") }
    }

    /// The new process accepts: this one finishes what it has.
    private mutating func handOver(to process: Int32) {
        handedOver = true
        draining = true
        let timeout = settings.daemon.drainTimeout
        logger.event(
            .handedOver,
            "process \(process) has taken over: \(Self.counted(loops.connections, "connection")) may take \(timeout.components.seconds) s to end here",
            metadata: [
                "successor": .stringConvertible(process), "connections": .stringConvertible(loops.connections),
                "drain-timeout-usec": .stringConvertible(timeout.wholeNanoseconds / 1000),
            ])
        service.send(.mainProcess(process))
        // From here on the service manager is the new process's affair.
        service.isSilent = true
        paths.leave(poller)
        drain()
    }
}
