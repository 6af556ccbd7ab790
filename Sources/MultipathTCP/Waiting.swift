internal import CLinux
package import LinuxSystem
package import SystemPackage

/// Blocks this thread until a descriptor is ready: what the tool API waits by. The corresponding call is `ppoll`, poll(2).
package enum Waiting {
    /// When a wait that may take `timeout` is over; `nil` never.
    package static func deadline(after timeout: Duration?) -> MonotonicTime {
        guard let timeout else { return .never }
        return MonotonicTime.now() + timeout.wholeNanoseconds
    }

    /// Waits for one descriptor.
    ///
    /// - Parameters:
    ///   - raw: the descriptor, or -1 to wait only for the others.
    ///   - readiness: `.readable`, `.writable` or both; a failed or hung-up descriptor is ready too.
    ///   - deadline: when to give up.
    ///   - cancellation: another descriptor that ends the wait when it becomes readable.
    /// - Throws: `Errno.timedOut`, `.canceled`, and any error of `ppoll`.
    package static func until(
        _ raw: CInt, _ readiness: Readiness, deadline: MonotonicTime, cancellation: CInt? = nil
    ) throws(Errno) {
        let answer = linux_poll_until(raw, CInt(readiness.rawValue), cancellation ?? -1, deadline.nanoseconds)
        let ready = try check(answer)
        if ready & 2 != 0 { throw .canceled }
        if ready == 0 { throw .timedOut }
    }
}
