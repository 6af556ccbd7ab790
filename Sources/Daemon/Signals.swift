internal import Glibc

/// The signals that the daemon answers to.
enum Signals {
    static let stop: [CInt] = [SIGTERM, SIGINT]
    static let reload = SIGHUP
    /// Only with `BRAID_TEST_STALL_LOOP=1` in a debug build: one loop stops making progress.
    static let stall = SIGUSR2
    static let watched = stop + [reload, stall]
}
