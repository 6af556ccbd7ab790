internal import LinuxSystem
internal import Logging
internal import SystemPackage

/// Where a new process asks the running one for its listening sockets: over a channel that it was started with, or beside the
/// admin socket, for the same user and root.
struct TakeoverDoor: ~Copyable {
    private var listener: DescriptorChannel?
    private var path: String?
    /// The process that takes over.
    private(set) var successor: DescriptorChannel?
    /// Its id.
    private(set) var successorID: Int32 = 0
    /// How many were to take over and did not.
    var failures = 0
    /// The names of listeners that it has no use for.
    var unwanted: Set<String> = []

    /// Opens it, where there is an admin socket.
    ///
    /// - Parameter isService: a service manager counts on this very process. Then only a successor that this process starts
    ///   itself may take over: it belongs to the same service, and one from elsewhere does not.
    init(adminSocket: String?, isService: Bool, _ poller: borrowing Poller, _ logger: Logger) {
        listener = nil
        path = nil
        successor = nil
        guard let adminSocket, !isService else { return }
        let path = Takeover.path(adminSocket: adminSocket)
        do throws(Errno) {
            let channel = try DescriptorChannel.listen(atPath: path)
            try poller.add(
                channel.raw, .readable, EventToken(slot: 0, tag: Supervisor.Tag.takeoverDoor.rawValue))
            listener = consume channel
            self.path = path
        } catch {
            logger.notice("`braid run --takeover` will not work: \(path): \(error)")
        }
    }

    /// Lets a new process in; one at a time.
    ///
    /// - Returns: true when its questions are to be expected.
    mutating func letIn(_ poller: borrowing Poller, _ logger: Logger) -> Bool {
        do throws(Errno) {
            guard let client = try listener?.accept() else { return false }
            let peer = try client.peer()
            return letIn(client, peer, poller, logger)
        } catch .wouldBlock {
            return false
        } catch {
            logger.warning("whoever asks to take over cannot be let in: \(error)")
            return false
        }
    }

    private mutating func letIn(
        _ client: consuming DescriptorChannel, _ peer: DescriptorChannel.Peer, _ poller: borrowing Poller,
        _ logger: Logger
    ) -> Bool {
        guard successor == nil, peer.user == 0 || peer.user == ThisProcess.effectiveUser else {
            logger.warning("process \(peer.process) of user \(peer.user) may not take over now")
            return false
        }
        do throws(Errno) {
            try expect(client, process: peer.process, poller)
        } catch {
            logger.warning("process \(peer.process) cannot take over: \(error)")
            return false
        }
        logger.notice("process \(peer.process) asks to take over")
        return true
    }

    /// From here on this is the process that takes over.
    mutating func expect(
        _ channel: consuming DescriptorChannel, process: Int32, _ poller: borrowing Poller
    ) throws(Errno) {
        try poller.add(channel.raw, .readable, EventToken(slot: 0, tag: Supervisor.Tag.successor.rawValue))
        successor = consume channel
        successorID = process
        unwanted = []
    }

    /// The new process is gone, or has all.
    mutating func dropSuccessor() { successor = nil }

    /// Lets nobody in any more.
    mutating func close(_ logger: Logger) {
        listener = nil
        guard let path else { return }
        self.path = nil
        do throws(Errno) {
            try UnixSocketFile.remove(path)
        } catch {
            logger.warning("cannot remove \(path): \(error)")
        }
    }
}
