internal import LinuxSystem
internal import SystemPackage

/// What the kernel's counters said before a connection was dialled, so that they can tell afterwards why it fell back.
///
/// The counters are the namespace's: another connection that is dialled at the same moment can be taken for this one.
public struct FallbackEvidence: Sendable {
    private let before: KernelCounters?

    /// Reads the counters now, before dialling. Costs a tenth of a millisecond: not for every connection of a busy program.
    public static func collect() -> FallbackEvidence {
        FallbackEvidence(before: try? KernelCounters.read())
    }

    /// Why a connection that was dialled since, and is connected, fell back in its handshake.
    public func reasonOfFallback(_ raw: CInt) -> NotMultipathReason {
        guard let before, let now = try? KernelCounters.read() else { return .peerOrPathRefused }
        let retransmits = (try? TCPStatistics.of(raw))?.retransmits ?? 0
        return Self.reason(
            synWithoutMultipath: now.growth(of: "MPTcpExtMPCapableSYNTXDisabled", since: before),
            synDropped: now.growth(of: "MPTcpExtMPCapableSYNTXDrop", since: before),
            retransmits: retransmits)
    }

    /// The rule. A dropped SYN needs two witnesses, the namespace's counter and the connection's own retransmissions.
    static func reason(synWithoutMultipath: UInt64, synDropped: UInt64, retransmits: UInt32) -> NotMultipathReason {
        if synDropped > 0 && retransmits > 0 { return .synDropped }
        if synWithoutMultipath > 0 { return .blackholeDetected }
        return .peerOrPathRefused
    }
}
