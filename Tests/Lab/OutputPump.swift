import CLab
import Glibc

/// Reads what a process writes until it has ended, and notices its end. Used by one thread.
struct OutputPump: ~Copyable {
    enum Stream: Sendable {
        case output
        case error
    }

    private let output: Descriptor
    private let error: Descriptor
    private let pidfd: Descriptor
    private var open = [true, true]

    init(output: consuming Descriptor, error: consuming Descriptor, pidfd: consuming Descriptor) throws(LabError) {
        try checked(clab_set_nonblocking(output.number), "pipe from a process")
        try checked(clab_set_nonblocking(error.number), "pipe from a process")
        self.output = output
        self.error = error
        self.pidfd = pidfd
    }

    /// Reads until the process has ended, or until the deadline.
    ///
    /// What the process wrote is read to the last byte; a pipe that its own children still hold open is not waited for.
    ///
    /// - Parameters:
    ///   - deadline: Monotonic nanoseconds, or `nil` to wait for ever.
    ///   - receive: Gets what was read.
    /// - Returns: Whether the process has ended.
    mutating func run(until deadline: Int64?, receive: (Stream, UnsafeRawBufferPointer) -> Void) -> Bool {
        while true {
            var timeout: Int64 = -1
            if let deadline {
                timeout = deadline - clab_monotonic_ns()
                if timeout <= 0 { return false }
            }
            // poll(2) passes over negative numbers.
            var polled = [
                pollfd(fd: pidfd.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[0] ? output.number : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[1] ? error.number : -1, events: Int16(POLLIN), revents: 0),
            ]
            guard clab_poll(&polled, 3, timeout) > 0 else { continue }
            let ended = polled[0].revents != 0
            if ended || polled[1].revents != 0 { drain(.output, receive) }
            if ended || polled[2].revents != 0 { drain(.error, receive) }
            if ended { return true }
        }
    }

    private mutating func drain(_ stream: Stream, _ receive: (Stream, UnsafeRawBufferPointer) -> Void) {
        let index = stream == .output ? 0 : 1
        let descriptor = stream == .output ? output.number : error.number
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer in
            while open[index] {
                let got = clab_read(descriptor, buffer.baseAddress, buffer.count)
                if got > 0 {
                    receive(stream, UnsafeRawBufferPointer(rebasing: buffer[..<got]))
                } else if got == 0 {
                    open[index] = false
                } else {
                    break
                }
            }
        }
    }
}
