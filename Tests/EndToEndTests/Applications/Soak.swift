import FoundationEssentials

/// Whether the long tests are wanted, and how long they may take.
enum Soak {
    /// `BRAID_SOAK=1` asks for them.
    static let isWanted = ProcessInfo.processInfo.environment["BRAID_SOAK"] == "1"

    /// `BRAID_SOAK_SECONDS`, or three minutes.
    static let duration: Duration = {
        let seconds = ProcessInfo.processInfo.environment["BRAID_SOAK_SECONDS"].flatMap(Int.init)
        return .seconds(seconds ?? 180)
    }()
}
