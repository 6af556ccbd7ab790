internal import LinuxSystem

/// A listening socket as one loop has it: its own duplicate of the descriptor.
struct ListenerState: ~Copyable {
    let descriptor: Descriptor
    /// Its number in this process.
    let id: Int
    var relay: Int
    let kind: ListenerKind
    /// An MPTCP listener: its connections may be MPTCP or plain TCP.
    let isMultipath: Bool
    /// Other loops watch the same socket.
    let isShared: Bool
    /// TCP_NODELAY, which accepted sockets inherit.
    let noDelay: Bool
    /// In the poller now.
    var isWatched = false
    /// How many to accept in one turn: as many as came together of late, so that the last accept, which only says that nobody
    /// waits, is mostly saved. The poller tells again when somebody does.
    private(set) var budget = 1
    private var fullTurns = 0
    /// Its relay has as many connections as it may.
    var isFull = false

    init(
        descriptor: consuming Descriptor, id: Int, relay: Int, kind: ListenerKind, isMultipath: Bool, isShared: Bool,
        noDelay: Bool
    ) {
        self.descriptor = descriptor
        self.id = id
        self.relay = relay
        self.kind = kind
        self.isMultipath = isMultipath
        self.isShared = isShared
        self.noDelay = noDelay
    }

    /// Accepts all that wait in the next turn.
    mutating func acceptAll() { budget = .max }

    /// Follows what a turn has found. Using the budget up now and then is chance; four times in a row, more come together.
    mutating func learn(accepted: Int) {
        if accepted < budget {
            budget = max(1, accepted)
            fullTurns = 0
        } else {
            fullTurns += 1
            if fullTurns == 4 {
                budget = min(Tuning.acceptsPerTurn, budget * 2)
                fullTurns = 0
            }
        }
    }
}
