public import SystemPackage

/// Why a netlink request failed.
public enum NetlinkError: Error, Sendable, Hashable {
    /// The kernel said no; the text is its own explanation, where it gives one (extended acknowledgement).
    case refused(Errno, explanation: String?)
    /// The socket failed.
    case system(Errno)
    /// Notices were lost because they were not read in time: whatever was learned from them may be wrong now (`ENOBUFS`).
    case overrun
    /// What was dumped changed again and again meanwhile.
    case unsteady
    /// No answer in time.
    case timedOut
    /// The answer cannot be understood.
    case syntax(NetlinkSyntaxError)
}

extension NetlinkError: CustomStringConvertible {
    /// One line for humans.
    public var description: String {
        switch self {
        case .refused(let errno, let explanation?): "\(errno) (\(explanation))"
        case .refused(let errno, nil): "\(errno)"
        case .system(let errno): "netlink: \(errno)"
        case .overrun: "netlink: notices were lost"
        case .unsteady: "netlink: what was asked for changes all the time"
        case .timedOut: "netlink: no answer"
        case .syntax(let error): "\(error)"
        }
    }
}

/// What the kernel says at the end of an exchange: an acknowledgement (`errno` is nil), or an error.
public struct NetlinkAcknowledgement: Sendable, Hashable {
    /// The error; `nil` when all is well.
    public let errno: Errno?
    /// The kernel's explanation, when it gives one.
    public let explanation: String?
    /// The number of an attribute that the kernel missed.
    public let missingAttribute: UInt32?

    /// Reads an `NLMSG_ERROR` or `NLMSG_DONE`; the latter carries an error only in newer kernels.
    ///
    /// - Throws: `NetlinkSyntaxError` when it is too short. An explanation that makes no sense is left out.
    public init(_ message: NetlinkMessage) throws(NetlinkSyntaxError) {
        let bytes = message.payload.span
        let isError = message.type == NetlinkMessage.Kind.error
        guard bytes.count >= 4 else {
            guard !isError else { throw .truncated(offset: 0, needed: 4, available: bytes.count) }
            (errno, explanation, missingAttribute) = (nil, nil, nil)
            return
        }
        let code = Int32(bitPattern: NetlinkBytes.uint32(bytes, at: 0))
        errno = code < 0 ? Errno(rawValue: code == .min ? .max : -code) : nil
        var text: String?
        var missing: UInt32?
        if message.flags.contains(.explained) {
            var start = 4
            if isError {
                guard bytes.count >= 20 else { throw .truncated(offset: 4, needed: 16, available: bytes.count - 4) }
                // The request's header comes next, and its payload too unless that was capped.
                let length = message.flags.contains(.capped) ? 16 : Int(NetlinkBytes.uint32(bytes, at: 4))
                start += NetlinkBytes.aligned(max(16, length))
            }
            if start < bytes.count {
                var attributes = NetlinkAttributes(start..<bytes.count)
                while let attribute = try? attributes.next(in: bytes) {
                    switch attribute.type {
                    case 1: text = attribute.text(in: bytes)
                    case 5: missing = try? attribute.uint32(in: bytes)
                    default: break
                    }
                }
            }
        }
        (explanation, missingAttribute) = (text, missing)
    }
}
