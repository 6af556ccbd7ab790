internal import CLinux
public import SystemPackage

/// Signals as something to read. signalfd(2).
public struct SignalDescriptor: ~Copyable, Sendable {
    /// The descriptor to watch for `readable`.
    public let descriptor: Descriptor

    /// Blocks the signals in this thread and those it starts later, and takes them here instead. Call it before any thread
    /// is started.
    public init(_ signals: [CInt]) throws(Errno) {
        let answer = unsafe signals.withUnsafeBufferPointer { buffer in
            unsafe linux_signalfd(buffer.baseAddress, CInt(buffer.count))
        }
        descriptor = Descriptor(owning: try check(answer))
    }

    /// The next waiting signal's number, or `nil`.
    public borrowing func next() throws(Errno) -> CInt? {
        let signal = try check(linux_signalfd_read(descriptor.raw))
        return signal == 0 ? nil : signal
    }

    /// From now on, writing to a closed pipe or socket is an error value and no signal.
    public static func ignoreBrokenPipes() {
        linux_ignore_sigpipe()
    }
}
