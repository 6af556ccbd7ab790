internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// The connects that a connection has in flight, and what is to be tried next. RFC 8305 within an upstream; the next
/// upstream only when all of one's addresses failed.
///
/// Owns the sockets of its attempts.
struct Dial: ~Copyable {
    /// A socket that is connecting, -1 for none.
    private var sockets = InlineArray<8, CInt>(repeating: -1)
    private var addressIndices = InlineArray<8, Int16>(repeating: 0)
    private var multipath = InlineArray<8, Bool>(repeating: false)
    private var links = InlineArray<8, Int8>(repeating: -1)
    private var started = InlineArray<8, UInt64>(repeating: 0)
    /// The links to start from, best first, as positions of the loop's ranking; empty when the routing table chooses.
    var linkOrder: [Int8] = []
    /// The upstream of the relay's plan that is tried now.
    var upstream = -1
    /// The position in the relay's pool that the connection holds, from the choice to its end; -1 for none.
    var member: Int32 = -1
    /// The positions that have failed this connection.
    var tried: [Int32] = []
    /// The next candidate: a link's address with one of the upstream's.
    var nextAddress = 0
    /// Links, by position, over which this upstream answered without MPTCP although it is required.
    private(set) var strippedLinks: UInt64 = 0
    /// An upstream answered without MPTCP although it is required.
    private(set) var wasRefused = false
    /// Attempts in flight.
    private(set) var inFlight = 0
    /// When this upstream has had its time.
    var upstreamDeadline = MonotonicTime.never
    /// When the next address is tried beside those in flight.
    var nextAttempt = MonotonicTime.never
    /// Why the last attempt failed.
    var lastError = Errno(rawValue: 0)
    /// The connection waits in the queue of an upstream's resolution until then.
    var resolveDeadline = MonotonicTime.never

    init() {}

    deinit {
        for index in sockets.indices where sockets[index] >= 0 { linux_close(sockets[index]) }
    }

    /// When the dial wants to be looked at again.
    var deadline: MonotonicTime { min(upstreamDeadline, nextAttempt) }

    /// Takes a connecting socket over; `nil` when as many as may be are in flight.
    mutating func add(_ raw: CInt, address: Int, link: Int8, isMultipath: Bool, now: MonotonicTime) -> Int? {
        for index in 0..<Tuning.attemptsInFlight where sockets[index] < 0 {
            sockets[index] = raw
            addressIndices[index] = Int16(clamping: address)
            multipath[index] = isMultipath
            links[index] = link
            started[index] = now.nanoseconds
            inFlight += 1
            return index
        }
        return nil
    }

    var hasRoom: Bool { inFlight < Tuning.attemptsInFlight }

    func socket(_ index: Int) -> CInt { sockets[index] }
    func address(_ index: Int) -> Int { Int(addressIndices[index]) }
    func isMultipath(_ index: Int) -> Bool { multipath[index] }
    /// The link that an attempt starts from, -1 when the routing table chose.
    func link(_ index: Int) -> Int8 { links[index] }
    func started(_ index: Int) -> MonotonicTime { MonotonicTime(nanoseconds: started[index]) }

    /// The link of the candidate at `position` of addresses × links, and which address it is: the best address over every link
    /// comes first, so that a dead link costs the stagger once, however many addresses the upstream has.
    func candidate(_ position: Int) -> (link: Int8, address: Int) {
        if linkOrder.isEmpty { return (-1, position) }
        return (linkOrder[position % linkOrder.count], position / linkOrder.count)
    }

    /// An attempt that connected is not used, for it is not multipath.
    mutating func noteStripped(_ link: Int8) {
        wasRefused = true
        if link >= 0, link < 64 { strippedLinks |= 1 << UInt64(link) }
    }

    /// The next upstream is another peer.
    mutating func forgetStripped() {
        strippedLinks = 0
    }

    /// Gives the socket of an attempt away: the caller owns it.
    mutating func take(_ index: Int) -> CInt {
        let raw = sockets[index]
        sockets[index] = -1
        inFlight -= 1
        return raw
    }

    /// Ends one attempt.
    mutating func cancel(_ index: Int) {
        linux_close(take(index))
    }

    /// Ends all attempts.
    mutating func cancelAll() {
        for index in sockets.indices where sockets[index] >= 0 { cancel(index) }
    }
}
