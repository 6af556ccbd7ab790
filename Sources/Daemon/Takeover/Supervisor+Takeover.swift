internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage

/// The running process's side of a takeover.
extension Supervisor {
    /// Starts the program that is installed now, as a process of the same service, to take over from this one.
    mutating func startSuccessor() {
        if draining {
            logger.notice("this process is stopping: it starts no successor")
            return
        }
        if door.successor != nil {
            logger.notice("process \(door.successorID) is taking over already")
            return
        }
        do throws(Errno) {
            guard let program else { throw .noSuchFileOrDirectory }
            var other: DescriptorChannel?
            let channel = try DescriptorChannel.pair(&other)
            guard let end = other.take() else { throw .badFileDescriptor }
            let process = try ThisProcess.startSibling(
                program, ["run", "--config", file, "--takeover"], environment: Self.successorEnvironment,
                descriptor: end.raw)
            logger.notice("started \(program) as process \(process), to take over")
            service.show("\(statusLine), handing over to process \(process)")
            try door.expect(channel, process: process, poller)
        } catch {
            logger.error(
                "no successor can be started (\(program ?? "which program?")): \(error); everything runs on here")
            countFailedHandOver()
            return
        }
        handListenersOut()
    }

    /// This process's own, but for what concerns it alone.
    private static var successorEnvironment: [String: String] {
        var environment = ThisProcess.environment
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"] { environment[name] = nil }
        environment[Takeover.variable] = "3"
        return environment
    }

    /// A new process has come: it gets every listening socket.
    mutating func letSuccessorIn() {
        guard door.letIn(poller, logger) else { return }
        handListenersOut()
    }

    private mutating func handListenersOut() {
        do throws(Errno) {
            if draining { throw .canceled }
            try lifeline.prepare()
            try door.successor?.send(Takeover.Word.held, descriptor: lifeline.heldDescriptor)
            try door.successor?.send(Takeover.Word.watched, descriptor: lifeline.watchedDescriptor)
            for index in 0..<listeners.count {
                let name = DescriptorKeeping.name(listeners[index].configured)
                try door.successor?.send(
                    Takeover.Word.listener + name, descriptor: listeners[index].socket.raw, waiting: Takeover.patience)
            }
            try door.successor?.send(Takeover.Word.end, waiting: Takeover.patience)
        } catch {
            logger.warning("the listening sockets cannot be handed out: \(error); everything runs on here")
            door.dropSuccessor()
            countFailedHandOver()
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
                handOver(to: door.successorID)
                try door.successor?.send(Takeover.Word.handed)
                door.dropSuccessor()
            case let text where text.hasPrefix(Takeover.Word.unwanted):
                door.unwanted.insert(String(text.dropFirst(Takeover.Word.unwanted.utf8.count)))
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
        if handedOver { return }
        logger.warning("the process that was to take over is gone; everything runs on here")
        countFailedHandOver()
    }

    /// `hand-over` waits for the number to change: it stays in every line that follows.
    private mutating func countFailedHandOver() {
        door.failures += 1
        service.show(statusLine)
    }

    /// The new process accepts: this one finishes what it has.
    private mutating func handOver(to process: Int32) {
        handedOver = true
        draining = true
        lifeline.letGo()
        let timeout = settings.daemon.takeoverTimeout
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
        drain(for: timeout)
    }

    /// A signal to end, when another process has taken over.
    ///
    /// systemd sends SIGTERM to every process of a service that it stops, and once more to what is left when the main process
    /// has ended; and to what is left of one whose main process has died, which it starts again when nothing is left.
    mutating func stopAfterHandover(_ signal: CInt) {
        if lifeline.state == .lost {
            logger.notice(
                "the process that took over has died: this one ends at once, so that the service can start again")
            return finish()
        }
        if !hurried {
            hurried = true
            let timeout = settings.daemon.drainTimeout
            deadlines.drain = min(deadlines.drain, .now() + timeout.wholeNanoseconds)
            logger.notice(
                "\(Self.counted(loops.connections, "connection")) may take \(timeout.components.seconds) s more to end")
        } else if signal != Signals.terminate || !Notification.isWanted {
            logger.notice("a second signal: ending at once")
            finish()
        }
    }
}
