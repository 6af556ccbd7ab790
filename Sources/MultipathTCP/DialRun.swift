internal import LinuxSystem
internal import SystemPackage

/// One run of a dialer over a list of addresses: connects that are under way, and when to begin the next.
///
/// Lives on the caller's stack for one call; the sockets of the losers close with it.
struct DialRun: ~Copyable {
    /// A connected socket and where it leads.
    struct Winner: ~Copyable {
        var opened: OpenedSocket
        let address: SocketAddress
    }

    private let dialer: MultipathDialer
    private let addresses: [SocketAddress]
    private let deadline: MonotonicTime
    private var poller: Poller
    /// By the index of the address; empty before it begins and after it failed.
    private let attempts: [Attempt]
    private var failures: [DialAttempt] = []
    private var begun = 0
    private var pending = 0
    private static let cancellationSlot = UInt32.max

    init(_ dialer: MultipathDialer, _ addresses: [SocketAddress]) throws(Errno) {
        let poller = try Poller(capacity: 16)
        if let cancellation = dialer.cancellation {
            try poller.add(cancellation, .readable, EventToken(slot: Self.cancellationSlot, tag: 0))
        }
        self.poller = poller
        self.dialer = dialer
        self.addresses = addresses
        attempts = addresses.map { _ in Attempt() }
        deadline = Waiting.deadline(after: dialer.timeout)
    }

    mutating func run() throws(DialError) -> Winner {
        var nextBegin = MonotonicTime.now()
        while true {
            while begun < addresses.count, pending == 0 || MonotonicTime.now() >= nextBegin {
                if let winner = try begin() { return winner }
                nextBegin = Waiting.deadline(after: dialer.stagger)
            }
            if pending == 0 { throw .failed(failures) }
            if MonotonicTime.now() >= deadline { throw .timedOut(failures) }

            let failed = failures.count
            if let winner = try wait(until: begun < addresses.count ? min(deadline, nextBegin) : deadline) {
                return winner
            }
            if failures.count > failed { nextBegin = MonotonicTime.now() }
        }
    }

    /// Starts the next address.
    private mutating func begin() throws(DialError) -> Winner? {
        let index = begun
        let address = addresses[index]
        begun += 1
        do throws(Errno) {
            let opened = try MultipathSupport.socket(address.family, wanting: dialer.multipath ? .mptcp : .tcp)
            if let interface = dialer.interface { try opened.socket.bind(toInterface: interface) }
            if let source = dialer.source { try opened.socket.bind(to: source) }
            if try opened.socket.connect(to: address) { return Winner(opened: opened, address: address) }
            try poller.add(opened.socket.raw, .writable, EventToken(slot: UInt32(index), tag: 0))
            attempts[index].opened = consume opened
            pending += 1
        } catch {
            failures.append(DialAttempt(address: address, error: error))
        }
        return nil
    }

    /// Waits for a decision of any attempt.
    private mutating func wait(until time: MonotonicTime) throws(DialError) -> Winner? {
        let nanoseconds = time.since(.now())
        // Rounded up, so that the time has come when the wait is over.
        let milliseconds = time == .never ? -1 : CInt(clamping: (nanoseconds + 999_999) / 1_000_000)
        let events: Int
        do throws(Errno) {
            events = try poller.wait(milliseconds: milliseconds)
        } catch {
            throw .system(error)
        }
        for event in 0..<events {
            let slot = poller.event(event).token.slot
            if slot == Self.cancellationSlot { throw .canceled }
            let index = Int(slot)
            guard let opened = attempts[index].opened.take() else { continue }
            pending -= 1
            guard let error = opened.socket.takeError() else {
                return Winner(opened: opened, address: addresses[index])
            }
            failures.append(DialAttempt(address: addresses[index], error: error))
        }
        return nil
    }

    /// A place for a socket in an array, which cannot hold one itself.
    private final class Attempt {
        var opened: OpenedSocket?
    }
}
