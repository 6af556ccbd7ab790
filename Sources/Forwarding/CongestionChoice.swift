/// Chooses a connection's congestion control (`congestion = "auto"`): BBR where segments are lost although no queue grows,
/// which is a radio's loss and no congestion; else the system's.
///
/// Pure: it is told what was counted, and answers what to set.
struct CongestionChoice {
    /// What was counted on a subflow that sends.
    struct Sample {
        var segments: UInt32
        var retransmits: UInt32
        /// In microseconds; 0 when unknown.
        var roundTrip: UInt32
        /// The least of late, in microseconds.
        var leastRoundTrip: UInt32
    }

    enum Answer {
        case keep
        case rateBased
        case systemDefault
    }

    /// Above this loss, cubic and reno carry little.
    static let lossy = 0.015
    /// Above this, BBR itself makes the losses.
    static let flooded = 0.25
    private static let segmentsToJudge: UInt32 = 300

    private var segments: UInt32 = 0
    private var lost: UInt32 = 0
    private var queued: UInt32 = 0
    private var suspicious = 0
    private var isRateBased = false
    private var isSettled = false

    /// Takes what was counted on one subflow since the last time.
    mutating func take(_ sample: Sample) -> Answer {
        guard !isSettled, sample.segments > 0 else { return .keep }
        segments &+= sample.segments
        lost &+= sample.retransmits
        // A queue: half as long again as without, and not merely a jittery short path.
        if sample.roundTrip > sample.leastRoundTrip &+ sample.leastRoundTrip / 2 &+ 10_000 {
            queued &+= sample.segments
        }
        guard segments >= Self.segmentsToJudge else { return .keep }
        let loss = Double(lost) / Double(segments)
        let hasQueue = Double(queued) > 0.3 * Double(segments)
        segments = 0
        lost = 0
        queued = 0
        if isRateBased {
            suspicious = loss > Self.flooded ? suspicious + 1 : 0
            guard suspicious >= 3 else { return .keep }
            isSettled = true
            return .systemDefault
        }
        suspicious = loss > Self.lossy && !hasQueue ? suspicious + 1 : 0
        guard suspicious >= 2 else { return .keep }
        suspicious = 0
        isRateBased = true
        return .rateBased
    }

    /// The kernel refused: no more of this.
    mutating func giveUp() { isSettled = true }
}
