internal import CLinux
internal import CSystemd
internal import Synchronization

/// Writes whole lines to a descriptor (standard error) without ever waiting long for whoever reads it.
///
/// A reader that has stopped costs the first line ``patience``, and then nothing: lines are dropped and counted until
/// it reads again. The process must ignore SIGPIPE, as one with network connections does anyway.
public final class LineOutput: Sendable {
    /// How long one line may wait for a reader before it is dropped, in milliseconds.
    static let patience: CInt = 100

    /// No more than this is written at once: a pipe that polls as writable takes so much without blocking.
    private static let slice = 4096  // PIPE_BUF

    private struct State {
        var undelivered: UInt64 = 0
        var stalled = false
        /// The last line was cut off in its middle: begin the next one on a line of its own.
        var torn = false
    }

    private let descriptor: CInt
    private let isSocket: Bool
    private let state = Mutex(State())

    /// Lines go to `descriptor` (by default standard error), which stays the caller's and must outlive this object.
    public init(descriptor: CInt = 2) {
        self.descriptor = descriptor
        isSocket = braid_is_socket(descriptor) == 1
    }

    /// How many lines were lost, whole or in part.
    public var undelivered: UInt64 { state.withLock { $0.undelivered } }

    /// Writes `line` and a line feed, or counts it as undelivered.
    public func write(_ line: String) {
        state.withLock { state in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(line.utf8.count + 2)
            if state.torn { bytes.append(UInt8(ascii: "\n")) }
            bytes.append(contentsOf: line.utf8)
            bytes.append(UInt8(ascii: "\n"))
            let written = write(bytes, patience: state.stalled ? 0 : Self.patience)
            state.stalled = written < bytes.count
            if state.stalled {
                state.undelivered += 1
                if written > 0 { state.torn = true }
            } else {
                state.torn = false
            }
        }
    }

    /// Answers how many bytes went out before the reader stalled or failed.
    private func write(_ bytes: [UInt8], patience: CInt) -> Int {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var written = 0
            while written < buffer.count {
                guard braid_wait_writable(descriptor, patience) == 1, let base = buffer.baseAddress else { break }
                let count = min(Self.slice, buffer.count - written)
                let answer: Int64 =
                    isSocket
                    ? unsafe Int64(braid_send_now(descriptor, base + written, count))
                    : unsafe linux_write(descriptor, base + written, count)
                guard answer > 0 else { break }
                written += Int(answer)
            }
            return written
        }
    }
}
