/// One netlink message as it was received. netlink(7).
public struct NetlinkMessage: Sendable, Hashable {
    /// What it is: below 16 netlink's own (`NetlinkMessage.Kind`), from there on the protocol's, or a generic family's number.
    public var type: UInt16
    /// `NLM_F_…`.
    public var flags: NetlinkFlags
    /// That of the request it answers; 0 in notices.
    public var sequence: UInt32
    /// What follows the header of 16 bytes, without padding.
    public var payload: [UInt8]

    /// A message of its parts.
    public init(type: UInt16, flags: NetlinkFlags = [], sequence: UInt32 = 0, payload: [UInt8] = []) {
        self.type = type
        self.flags = flags
        self.sequence = sequence
        self.payload = payload
    }

    /// The types that mean the same in every protocol.
    public enum Kind {
        /// `NLMSG_NOOP`.
        public static let nothing: UInt16 = 1
        /// `NLMSG_ERROR`: an error, or an acknowledgement.
        public static let error: UInt16 = 2
        /// `NLMSG_DONE`: the end of a dump.
        public static let done: UInt16 = 3
        /// `NLMSG_OVERRUN`.
        public static let overrun: UInt16 = 4
    }

    /// How long the header is.
    public static let headerSize = 16

    /// Reads the message that begins at `offset`, and moves `offset` to where the next one begins.
    ///
    /// - Parameters:
    ///   - bytes: a datagram, or several.
    ///   - offset: where to begin, at most the count of bytes.
    /// - Returns: the message; `nil` at the end.
    /// - Throws: `NetlinkSyntaxError`: then there is no way to know where the next message begins.
    public static func next(in bytes: Span<UInt8>, at offset: inout Int) throws(NetlinkSyntaxError) -> NetlinkMessage? {
        let start = offset
        guard start < bytes.count else { return nil }
        guard bytes.count - start >= headerSize else {
            throw .truncated(offset: start, needed: headerSize, available: bytes.count - start)
        }
        let length = Int(NetlinkBytes.uint32(bytes, at: start))
        guard length >= headerSize else { throw .malformed(offset: start, "a message shorter than its header") }
        guard length <= bytes.count - start else {
            throw .truncated(offset: start, needed: length, available: bytes.count - start)
        }
        // The last message's padding may be missing.
        offset = min(start + NetlinkBytes.aligned(length), bytes.count)
        return NetlinkMessage(
            type: NetlinkBytes.uint16(bytes, at: start + 4),
            flags: NetlinkFlags(rawValue: NetlinkBytes.uint16(bytes, at: start + 6)),
            sequence: NetlinkBytes.uint32(bytes, at: start + 8),
            payload: NetlinkBytes.array(bytes, start + headerSize..<start + length))
    }

    /// Every message in a datagram.
    ///
    /// - Throws: `NetlinkSyntaxError`, when any of it is wrong.
    public static func all(in bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var offset = 0
        while let message = try next(in: bytes, at: &offset) { messages.append(message) }
        return messages
    }
}

/// `NLM_F_…`: what a netlink message asks or says. netlink(7).
public struct NetlinkFlags: OptionSet, Sendable, Hashable {
    /// The kernel's bits.
    public let rawValue: UInt16

    /// From the kernel's bits.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// `NLM_F_REQUEST`: set in every request.
    public static let request = NetlinkFlags(rawValue: 0x001)
    /// `NLM_F_MULTI`: one of several, which `Kind.done` ends.
    public static let multi = NetlinkFlags(rawValue: 0x002)
    /// `NLM_F_ACK`: asks for an acknowledgement.
    public static let acknowledge = NetlinkFlags(rawValue: 0x004)
    /// `NLM_F_DUMP_INTR`: what was dumped changed meanwhile.
    public static let dumpInterrupted = NetlinkFlags(rawValue: 0x010)
    /// `NLM_F_DUMP`: asks for everything. (`NLM_F_ROOT | NLM_F_MATCH`)
    public static let dump = NetlinkFlags(rawValue: 0x300)
    /// `NLM_F_CAPPED`, in an error: the request is not repeated there.
    public static let capped = NetlinkFlags(rawValue: 0x100)
    /// `NLM_F_ACK_TLVS`, in an error: attributes explain it.
    public static let explained = NetlinkFlags(rawValue: 0x200)
    /// `NLM_F_EXCL`, in a request that makes something: refuse when it is there.
    public static let exclusive = NetlinkFlags(rawValue: 0x200)
    /// `NLM_F_CREATE`.
    public static let create = NetlinkFlags(rawValue: 0x400)
}
