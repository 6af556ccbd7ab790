/// The data plane's constants, each with its reason. Figures are from measurements on Linux 6.18.
enum Tuning {
    /// Events taken from the kernel at once: enough to share one wake-up among many connections, few enough that the
    /// first of them is not old when the last is served.
    static let eventsPerWait = 256

    /// What is read at once while a flow is shallow: it stays in the processor's second-level cache.
    static let scratchSize = 64 << 10

    /// Held bytes up to this size are copied to a small buffer, so that ten thousand slow readers of short answers do not
    /// hold a large buffer each.
    static let smallBufferSize = 4 << 10

    /// The pipe of a deep flow. 64 KiB pipes cost 1.8 times the processor time, and shallow reads stall a fast MPTCP sender.
    static let pipeCapacity = 1 << 20

    /// Pipes in use at once by one loop: an unprivileged user may have 64 MiB of them in all. Flows beyond that copy.
    static let pipesInUse = 24

    /// Idle pipes kept for the next deep flow.
    static let pipesKept = 4

    /// Idle buffers kept of each size.
    static let buffersKept = 16

    /// A read of at least this many bytes is a piece of a stream. Not the whole scratch buffer: an MPTCP receiver's window
    /// opens so slowly at first that a stream never fills it.
    static let longRead = 32 << 10

    /// A shallow flow goes deep after so many long reads in a row.
    static let longReadsBeforeDeep = 2

    /// Below this a splice from MPTCP costs more than a copy: the kernel allocates pages for the whole request.
    static let spliceWorthwhile = 32 << 10

    /// A deep flow goes shallow again after so many short reads in a row.
    static let shortReadsBeforeShallow = 64

    /// What one flow may move before the loop turns to the other connections.
    static let bytesPerTurn = 4 << 20

    /// Connections accepted before the loop turns to those that it has.
    static let acceptsPerTurn = 64

    /// How long accepting rests after the process ran out of descriptors or memory.
    static let acceptBackoffNanoseconds: UInt64 = 200_000_000

    /// A link that lost a race by more than this is tried last for a while.
    static let linkHeadStart: UInt64 = 100_000_000

    /// Records of ended connections are handed to the main thread together, at most so often: waking it for each costs a tenth
    /// of what a short connection costs.
    static let reportInterval: UInt64 = 50_000_000

    /// Keepalive is set on a connection that has lived for so long: three system calls that most never need.
    static let keepaliveAfter: UInt64 = 5_000_000_000

    /// Silent subflows are asked over once a connection has moved data for so long …
    static let probeAfter: UInt64 = 250_000_000
    /// … are looked at so often …
    static let probeInterval: UInt64 = 1_000_000_000
    /// … and so long after it has moved data last.
    static let probeFor: UInt64 = 10_000_000_000
    /// Probes without an answer, a second apart, after which a silent subflow is held for dead. Three in a row are lost by
    /// chance once in some 15,000 times where one segment in fifty is lost.
    static let probesUnanswered: UInt8 = 3

    /// Connections in one part of a list, and how long the loop may take to gather it before it turns to its events.
    static let connectionsPerSlice = 64
    static let sliceNanoseconds: UInt64 = 1_000_000

    /// How often it is told at most, for each relay, that a connection fell back.
    static let fallbackReportInterval: UInt64 = 10_000_000_000

    /// How often it is said that a relay is full.
    static let limitReportInterval: UInt64 = 60_000_000_000

    /// How often a busy connection's subflows are counted.
    static let sampleIntervalNanoseconds: UInt64 = 250_000_000

    /// How often the paths of a bulk connection are measured: a microsecond each time.
    static let qualityInterval: UInt64 = 100_000_000

    /// Bulk connections that a loop measures at once; a sample of that many says how the links are.
    static let qualityConnections = 32

    /// A connection that has moved nothing for so long makes room for another.
    static let qualityMemory: UInt64 = 5_000_000_000

    /// How often a leg that waits for an answer is looked at: a dead subflow is to be left within a fraction of a second.
    static let lookInterval: UInt64 = 20_000_000

    /// Legs looked at by the clock at once: a quarter of a millisecond.
    static let looksPerTick = 256

    /// How long after its beginning a connection's subflows are asked for: others join a round trip after its first data.
    static let firstLook: UInt64 = 200_000_000

    /// A subflow is never called dead sooner: delayed acknowledgements take 40 ms.
    static let stallLeast: UInt64 = 120_000_000

    /// The same where segments are lost by chance, or nothing is known of that: the retransmission timer has run.
    static let stallLeastWithLoss: UInt64 = 300_000_000

    /// After so many segments it is known whether segments are lost by chance.
    static let lossKnown: UInt64 = 200

    /// How often the main thread is told at most that links were counted.
    static let linksInterval: UInt64 = 500_000_000

    /// How often the kernel's counters are read to tell why connections fall back.
    static let fallbackReadingInterval: UInt64 = 100_000_000

    /// How long a link that strips MPTCP is dialled last where MPTCP is required; doubled each time, up to the longest.
    static let strippingMemory: UInt64 = 600_000_000_000
    static let strippingMemoryLongest: UInt64 = 4_800_000_000_000

    /// Connects that one dial has in flight at most: one over each of as many links as the kernel keeps endpoints for.
    static let attemptsInFlight = 8

    /// How long a connection waits for fresh addresses of an upstream while old ones are known.
    static let staleAddressPatience: UInt64 = 1_000_000_000

    /// What is read at once of a client's preamble: more than any but a long HTTP head needs.
    static let handshakeRead = 4 << 10

    /// What goes to a converter together with the request: as much as a new connection's first flight may hold.
    static let readAhead = 14 << 10

    /// How long a client may take with its preamble before it makes room for others, when there is no place left.
    static let handshakeGrace: UInt64 = 1_000_000_000

    /// How long a refused client may take to read why.
    static let farewell: UInt64 = 1_000_000_000

    /// A converter's error answers in a second.
    static let errorAnswersPerSecond = 1000

    /// How far a bandwidth limit may be made up for after a quiet moment: more than timers are late on a busy machine.
    static let bandwidthTolerance: UInt64 = 50_000_000

    /// A promised turn is moved forward when that makes it sooner by more than this.
    static let bandwidthHaste: UInt64 = 1_000_000

    /// A client that did not ask in time keeps its due for so many turns of the others.
    static let bandwidthCredit: UInt64 = 16

    /// How soon a Unix upstream with a full backlog is asked again.
    static let unixRetryNanoseconds: UInt64 = 20_000_000

    /// Records and notices that wait for the main thread at most; beyond, they are counted as dropped.
    static let reportsWaiting = 32 << 10
}
