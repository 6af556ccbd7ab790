internal import CSystemd
public import SystemPackage

/// The service manager's watchdog: it kills and restarts a service that has not said ``Notification/watchdog`` for
/// ``timeout`` (`WatchdogSec=` in the unit).
public struct Watchdog: Sendable, Equatable {
    /// How long the service manager waits for a sign of life.
    public let timeout: Duration

    /// How often to look at the event loops and ping: half the ``timeout``, as sd_watchdog_enabled(3) advises.
    public var pingInterval: Duration { timeout / 2 }

    /// A watchdog that bites after `timeout`.
    public init(timeout: Duration) {
        self.timeout = timeout
    }

    /// The watchdog that the service manager set for this very process (`WATCHDOG_USEC` and `WATCHDOG_PID`), or nil
    /// when it set none.
    ///
    /// The corresponding C function is `sd_watchdog_enabled`.
    /// - Throws: ``WatchdogError`` when the variables are there but say nothing sensible.
    public static func inherited() throws(WatchdogError) -> Watchdog? {
        var microseconds: UInt64 = 0
        let answer = unsafe sd_watchdog_enabled(0, &microseconds)
        if answer < 0 { throw WatchdogError(errno: Errno(rawValue: -answer)) }
        if answer == 0 { return nil }
        return Watchdog(timeout: .microseconds(Int64(clamping: microseconds)))
    }
}

/// `WATCHDOG_USEC` or `WATCHDOG_PID` cannot be read.
public struct WatchdogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong with them.
    public let errno: Errno

    /// One line for people.
    public var description: String { "WATCHDOG_USEC or WATCHDOG_PID in the environment is malformed: \(errno)" }
}
