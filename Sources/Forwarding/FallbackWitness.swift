internal import LinuxSystem
internal import MultipathTCP

/// Finds out why a dial fell back in its handshake, from the kernel's counters: what they said before against what they say
/// after. Reading them costs a tenth of a millisecond, so many fallbacks at once share one answer.
struct FallbackWitness {
    private var evidence: FallbackEvidence?
    private var answer = NotMultipathReason.peerOrPathRefused
    private var answeredForRetransmits = false
    private var nextReading = MonotonicTime(nanoseconds: 0)

    /// Before the first dial, so that there is something to compare with.
    mutating func prepare() {
        if evidence == nil { evidence = .collect() }
    }

    /// Why a connected socket is plain TCP although MPTCP was asked for.
    mutating func reason(_ raw: CInt, now: MonotonicTime) -> NotMultipathReason {
        // A SYN that was dropped is the one thing that the connection itself is witness of.
        let hasRetransmits = ((try? TCPStatistics.of(raw))?.retransmits ?? 0) > 0
        if now >= nextReading || hasRetransmits != answeredForRetransmits {
            answeredForRetransmits = hasRetransmits
            nextReading = now + Tuning.fallbackReadingInterval
            answer = evidence?.reasonOfFallback(raw) ?? .peerOrPathRefused
            evidence = .collect()
        }
        return answer
    }
}
