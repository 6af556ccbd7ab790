internal import CLinux
public import SystemPackage

/// A netlink socket: for requests and their answers, or for notices of multicast groups. netlink(7).
///
/// Owned and used by one thread. Use one socket for requests and another one for notices: then neither has to be sorted out
/// of the other, and notices that overflow cost no answer.
public struct NetlinkSocket: ~Copyable, Sendable {
    /// Which part of the kernel is talked to.
    public enum NetlinkProtocol: Sendable {
        /// Links, addresses, routes. rtnetlink(7).
        case route
        /// Sockets of this network namespace. sock_diag(7).
        case socketDiagnostics
        /// Families by name.
        case generic

        var number: CInt {
            switch self {
            case .route: CInt(LINUX_NETLINK_ROUTE)
            case .socketDiagnostics: CInt(LINUX_NETLINK_SOCK_DIAG)
            case .generic: CInt(LINUX_NETLINK_GENERIC)
            }
        }
    }

    /// The descriptor, to be watched for `readable`.
    public let descriptor: Descriptor
    private var sequence: UInt32 = 0
    private var buffer = [UInt8](repeating: 0, count: 32768)

    /// Opens a socket in the calling thread's network namespace.
    ///
    /// - Throws: `Errno`: `.protocolNotSupported` (the kernel lacks it), `.addressFamilyNotSupported` (a unit that forbids
    ///   netlink), `.tooManyOpenFiles` and its like.
    public init(_ netlinkProtocol: NetlinkProtocol) throws(Errno) {
        descriptor = Descriptor(owning: try check(linux_netlink_open(netlinkProtocol.number)))
    }

    /// The descriptor's number.
    public var raw: CInt { descriptor.raw }

    /// Joins a multicast group by its number. The corresponding option is `NETLINK_ADD_MEMBERSHIP`.
    ///
    /// - Throws: `Errno.notPermitted` where the group needs `CAP_NET_ADMIN`.
    public borrowing func join(group: UInt32) throws(Errno) {
        _ = try check(linux_netlink_join(raw, group))
    }

    /// Lets through only notices of a generic family with these commands; what is dropped wakes nobody. socket(7),
    /// `SO_ATTACH_FILTER`.
    ///
    /// - Parameter commands: bit n stands for command n.
    public borrowing func filter(commands: UInt32) throws(Errno) {
        _ = try check(linux_netlink_filter_commands(raw, commands))
    }

    /// Takes the messages of the next datagram that the kernel sent.
    ///
    /// - Returns: the messages; `nil` when none waits.
    /// - Throws: `NetlinkError.overrun` when notices were lost, `.syntax` for a datagram that makes no sense (it is gone then,
    ///   and the next one can be read), `.system`.
    public mutating func receive() throws(NetlinkError) -> [NetlinkMessage]? {
        let raw = self.raw
        let count: Int
        do throws(Errno) {
            // Looking at the size first takes a pending error just as reading would.
            let size = try check(linux_netlink_next_size(raw))
            if size > buffer.count { buffer = [UInt8](repeating: 0, count: size) }
            count = try check(
                unsafe buffer.withUnsafeMutableBytes { unsafe linux_netlink_receive(raw, $0.baseAddress, $0.count) })
        } catch {
            switch error {
            case .wouldBlock: return nil
            case .noBufferSpace: throw .overrun
            default: throw .system(error)
            }
        }
        guard count <= buffer.count else {
            throw .syntax(.truncated(offset: 0, needed: count, available: buffer.count))
        }
        do throws(NetlinkSyntaxError) {
            return try NetlinkMessage.all(in: buffer.span.extracting(..<count))
        } catch {
            throw .syntax(error)
        }
    }

    /// Sends a request and waits for the end of what answers it.
    ///
    /// A dump that changed meanwhile is asked for again, four times.
    ///
    /// - Parameters:
    ///   - request: what to ask; an acknowledgement is asked for with it, or with `.dump` its end is waited for.
    ///   - timeout: how long the whole may take.
    /// - Returns: the answers, without the acknowledgement.
    /// - Throws: `NetlinkError`.
    @discardableResult
    public mutating func exchange(
        _ request: NetlinkRequest, timeout: Duration = .seconds(5)
    ) throws(NetlinkError) -> [NetlinkMessage] {
        let deadline = MonotonicTime.now() + timeout.wholeNanoseconds
        for _ in 0..<5 {
            let answers = try exchangeOnce(request, deadline)
            if let answers { return answers }
        }
        throw .unsteady
    }

    /// `nil` when a dump has to be asked for again.
    private mutating func exchangeOnce(
        _ request: NetlinkRequest, _ deadline: MonotonicTime
    ) throws(NetlinkError) -> [NetlinkMessage]? {
        sequence &+= 1
        // 0 is for notices.
        if sequence == 0 { sequence = 1 }
        let isDump = request.flags.contains(.dump)
        try send(isDump ? request : request.acknowledged())
        var answers: [NetlinkMessage] = []
        var steady = true
        while true {
            guard let messages = try receive(until: deadline) else { return nil }
            for message in messages where message.sequence == sequence {
                if message.flags.contains(.dumpInterrupted) { steady = false }
                switch message.type {
                case NetlinkMessage.Kind.nothing: break
                case NetlinkMessage.Kind.error, NetlinkMessage.Kind.done:
                    try Self.finish(message)
                    return steady ? answers : nil
                default: answers.append(message)
                }
            }
        }
    }

    private static func finish(_ message: NetlinkMessage) throws(NetlinkError) {
        let acknowledgement: NetlinkAcknowledgement
        do throws(NetlinkSyntaxError) {
            acknowledgement = try NetlinkAcknowledgement(message)
        } catch {
            throw .syntax(error)
        }
        if let errno = acknowledgement.errno { throw .refused(errno, explanation: acknowledgement.explanation) }
    }

    private borrowing func send(_ request: NetlinkRequest) throws(NetlinkError) {
        let bytes = request.message(sequence: sequence)
        let raw = self.raw
        do throws(Errno) {
            let sent = try check(
                unsafe bytes.withUnsafeBytes { unsafe linux_netlink_send(raw, $0.baseAddress, $0.count) })
            guard sent == bytes.count else { throw Errno.messageTooLong }
        } catch {
            throw .system(error)
        }
    }

    /// `nil` when answers were lost.
    private mutating func receive(until deadline: MonotonicTime) throws(NetlinkError) -> [NetlinkMessage]? {
        while true {
            do throws(NetlinkError) {
                if let messages = try receive() { return messages }
            } catch {
                if error == .overrun { return nil }
                throw error
            }
            let answer = linux_poll_until(raw, CInt(LINUX_POLLIN), -1, deadline.nanoseconds)
            if answer == 0 { throw .timedOut }
            if answer < 0 { throw .system(Errno(rawValue: -answer)) }
        }
    }
}

extension NetlinkRequest {
    fileprivate func acknowledged() -> NetlinkRequest {
        var copy = self
        copy.flags.insert(.acknowledge)
        return copy
    }
}
