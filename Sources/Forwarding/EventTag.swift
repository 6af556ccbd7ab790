/// The half of an event token that says what an event is for: 4 bits of kind, 4 bits of index, 24 bits of generation.
struct EventTag {
    enum Kind: UInt32 {
        case client = 0
        case upstream = 1
        case attempt = 2
        case listener = 3
        case mailbox = 4
    }

    let rawValue: UInt32

    init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    init(kind: Kind, index: Int = 0, generation: UInt32 = 0) {
        rawValue = kind.rawValue | UInt32(index & 15) << 4 | generation << 8
    }

    init(side: SideName, generation: UInt32) {
        rawValue = side.rawValue | generation << 8
    }

    var kind: Kind? { Kind(rawValue: rawValue & 15) }
    var index: Int { Int(rawValue >> 4 & 15) }
    var generation: UInt32 { rawValue >> 8 }

    /// The generation after `generation`, within its 24 bits.
    static func generation(after generation: UInt32) -> UInt32 {
        (generation &+ 1) & 0xFF_FFFF
    }
}
