internal import Glibc

/// The signals that the daemon answers to.
enum Signals {
    static let terminate = SIGTERM
    static let stop: [CInt] = [terminate, SIGINT]
    static let reload = SIGHUP
    /// Start the program that is installed now, and hand over to it.
    static let handOver = SIGUSR2
    /// Only with `BRAID_TEST_STALL_LOOP=1` in a debug build: one loop stops making progress.
    static let stall = SIGUSR1
    static let watched = stop + [reload, handOver, stall]
}
