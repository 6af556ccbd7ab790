internal import CLinux
public import SystemPackage

/// A kernel thread that runs one closure and is joined or detached once. pthreads(7).
///
/// All signals are blocked in it: they are the main thread's.
public struct Thread: ~Copyable {
    private let identity: pthread_t

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: as `ps -L` shows it, at most 15 bytes.
    ///   - body: what it runs.
    /// - Throws: `Errno.resourceTemporarilyUnavailable` when there may be no more threads.
    public init(name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        // The box is retained for the thread, which takes that one reference over, so it outlives this call exactly as
        // long as the thread needs it.
        let context = unsafe Unmanaged.passRetained(Body(body))
        var identity = pthread_t()
        let answer = unsafe linux_thread_start(
            &identity, name,
            { raw in
                if let raw = unsafe raw { unsafe Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            }, context.toOpaque())
        if answer < 0 {
            unsafe context.release()
            throw Errno(rawValue: -answer)
        }
        self.identity = identity
    }

    /// Waits for the end of the thread.
    public consuming func join() {
        _ = linux_thread_join(identity)
    }

    /// Lets the thread run on by itself; nobody can wait for its end then. The corresponding call is `pthread_detach`.
    public consuming func detach() {
        linux_thread_detach(identity)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
