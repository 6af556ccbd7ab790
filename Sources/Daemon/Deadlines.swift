internal import LinuxSystem

/// When the main thread has to do something by itself. Each is `never` while there is nothing to do: an idle daemon
/// sleeps.
struct Deadlines {
    /// Look at the loops' heartbeats and tell the watchdog.
    var watchdog = MonotonicTime.never
    /// Bring the status line up to date.
    var status = MonotonicTime.never
    /// Reset what the drain has left.
    var drain = MonotonicTime.never
    /// Tell the service manager that the drain goes on.
    var extend = MonotonicTime.never

    var next: MonotonicTime { min(min(watchdog, status), min(drain, extend)) }
}
