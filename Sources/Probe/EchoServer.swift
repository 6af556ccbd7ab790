public import LinuxSystem
public import MultipathTCP
public import SystemPackage

/// An echo server on multipath TCP that says of each connection whether it is multipath: the other end of a probe.
///
/// One thread, one poller, any number of clients; each holds at most one buffer of bytes that it has not read back yet, so a
/// client that never reads costs no more than that.
public struct EchoServer: ~Copyable {
    private let listener: MultipathListener
    private var poller: Poller
    private let say: (String) -> Void
    private var clients: [EchoClient?] = []
    private var freeSlots: [Int] = []
    private var lastTag: UInt32 = 0
    /// When to accept again after the system had no more descriptors; `never` while it accepts.
    private var resumeAccepting = MonotonicTime.never
    /// Whether it was said that the system has no more descriptors, and nobody was accepted since.
    private var isShortageKnown = false
    private static let listenerToken = EventToken(slot: .max, tag: 0)
    private static let stopToken = EventToken(slot: .max - 1, tag: 0)

    /// Starts listening.
    ///
    /// - Parameters:
    ///   - address: where.
    ///   - say: takes a line for each event.
    /// - Throws: `Errno.addressInUse`, `.permissionDenied` and any error of bind(2) or listen(2).
    public init(on address: SocketAddress, say: @escaping (String) -> Void) throws(Errno) {
        var options = MultipathListener.Options()
        options.multipath = true
        let listener = try MultipathListener(on: address, options)
        let poller = try Poller()
        try poller.add(listener.raw, .readable, Self.listenerToken)
        self.listener = listener
        self.poller = poller
        self.say = say
    }

    /// The address listened on.
    public var address: SocketAddress { listener.address }

    /// Why no client can be multipath; `nil` when they can.
    public var notMultipathReason: NotMultipathReason? { listener.notMultipathReason }

    /// Serves until `stop` becomes readable.
    ///
    /// - Throws: `Errno` of the poller only: no client's failure ends it.
    public mutating func run(until stop: CInt) throws(Errno) {
        try poller.add(stop, .readable, Self.stopToken)
        say("listening on \(address), " + Self.describe(notMultipathReason))
        while true {
            let count = try poller.wait(milliseconds: resumeAccepting == .never ? -1 : 200)
            for index in 0..<count {
                let (readiness, token) = poller.event(index)
                switch token {
                case Self.stopToken: return
                case Self.listenerToken: accept()
                default: serve(Int(token.slot), tag: token.tag, readiness)
                }
            }
            if MonotonicTime.now() >= resumeAccepting { watchListener(true) }
        }
    }

    private mutating func accept() {
        do throws(Errno) {
            while true {
                add(try listener.accept(timeout: .zero))
                isShortageKnown = false
            }
        } catch {
            if error == .timedOut { return }
            if !isShortageKnown { say("cannot accept for now: \(error)") }
            isShortageKnown = true
            watchListener(false)
        }
    }

    /// Out of descriptors the listener would be ready all the time: it is left alone for a second.
    private mutating func watchListener(_ watch: Bool) {
        resumeAccepting = watch ? .never : MonotonicTime.now() + 1_000_000_000
        do throws(Errno) {
            try poller.modify(listener.raw, watch ? .readable : [], Self.listenerToken)
        } catch {
            say("cannot watch the listener: \(error)")
        }
    }

    private mutating func add(_ connection: MultipathConnection) {
        let slot = freeSlots.popLast() ?? clients.count
        if slot == clients.count { clients.append(nil) }
        lastTag &+= 1
        let client = EchoClient(connection, tag: lastTag)
        do throws(Errno) {
            try poller.add(connection.raw, .readable, EventToken(slot: UInt32(slot), tag: client.tag))
        } catch {
            say("\(connection.remote) refused: \(error)")
            freeSlots.append(slot)
            return
        }
        clients[slot] = client
        say("\(connection.remote) connected, " + Self.describe(client.reason))
    }

    private mutating func serve(_ slot: Int, tag: UInt32, _ readiness: Readiness) {
        // An event for a client that closed in the same batch is dropped, not given to the slot's next tenant.
        guard slot < clients.count, let client = clients[slot], client.tag == tag else { return }
        let state = client.pump()
        if client.checkOnceEchoed() { say("\(client.connection.remote) is now " + Self.describe(client.reason)) }
        switch state {
        case .wants(let interest):
            do throws(Errno) {
                try poller.modify(client.connection.raw, interest, EventToken(slot: UInt32(slot), tag: tag))
            } catch {
                remove(slot, client, "\(error)")
            }
        case .finished:
            client.check()
            remove(slot, client, "closed")
        case .failed(let error): remove(slot, client, "\(error)")
        }
    }

    private mutating func remove(_ slot: Int, _ client: EchoClient, _ how: String) {
        say("\(client.connection.remote) \(how) after \(client.echoed) bytes, \(Self.describe(client.reason))")
        clients[slot] = nil
        freeSlots.append(slot)
        if resumeAccepting != .never { watchListener(true) }
    }

    private static func describe(_ reason: NotMultipathReason?) -> String {
        reason.map { "multipath: no (\($0))" } ?? "multipath: yes"
    }
}
