/// What a probe is to do.
public struct ProbeOptions: Sendable {
    /// Where the echo is.
    public var target: HostAndPort
    /// How many round trips; 0 until it is interrupted.
    public var count = 5
    /// From the beginning of one round trip to the next.
    public var interval: Duration = .seconds(1)
    /// How long to wait for the connection, and for each echo.
    public var timeout: Duration = .seconds(10)
    /// Bytes of one message, at least 8.
    public var size = 64
    /// Whether a connection that is not multipath is a failure.
    public var requireMultipath = false
    /// A descriptor that ends the run once it is readable: a signalfd. It must stay open as long as the run lasts.
    public var interruption: CInt?

    /// The defaults for a target.
    public init(_ target: HostAndPort) {
        self.target = target
    }
}
