/// What carries the bytes in one measurement.
enum Setting: Hashable {
    /// Plain TCP over one link.
    case single(Int)
    /// The kernel's MPTCP over both, as shipped.
    case kernel
    /// The kernel's MPTCP with the sender's buffer as a hand-tuner would set it.
    case tuned
    /// The kernel's MPTCP with the second link set to backup by hand.
    case backup
    /// Near and far Braid.
    case braid

    init?(_ word: String) {
        switch word {
        case "single": self = .single(0)
        case "single2": self = .single(1)
        case "kernel": self = .kernel
        case "tuned": self = .tuned
        case "backup": self = .backup
        case "braid": self = .braid
        default: return nil
        }
    }

    var name: String {
        switch self {
        case .single(let link): "link \(link + 1) alone"
        case .kernel: "kernel alone"
        case .tuned: "kernel, tuned buffer"
        case .backup: "kernel, link 2 backup"
        case .braid: "braid"
        }
    }
}

/// Which way the bytes go.
enum Way: String, CaseIterable {
    /// From the near host to the far.
    case up
    /// From the far host to the near.
    case down
}
