/// `socket`: options of the sockets on one side of a relay.
public struct SocketSettings: Sendable, Equatable {
    /// `TCP_CONGESTION`.
    public enum Congestion: Sendable, Equatable {
        /// The kernel's default.
        case kernelDefault
        /// Chosen by Braid while it runs.
        case automatic
        /// By the kernel's name: `bbr`, `cubic`, …
        case named(String)
    }

    /// `TCP_NODELAY`.
    public enum NoDelay: Sendable, Equatable {
        /// By what the flow does.
        case automatic
        case fixed(Bool)
    }

    /// `SO_SNDBUF`. The receive buffer is always left to the kernel.
    public enum Buffer: Sendable, Equatable {
        /// The kernel's autotuning.
        case automatic
        /// 4 KiB to 1 GiB.
        case bytes(Int)
    }

    /// Idle time before the first keep-alive probe, whole seconds. 1 s to 32767 s (the kernel's bound); zero = off;
    /// default 60 s.
    public var keepalive = Duration.seconds(60)
    /// How long sent data may stay unacknowledged. 10 ms to 24 hours; zero (the default) = the kernel's rule.
    public var userTimeout = Duration.zero
    /// Default: the kernel's.
    public var congestion = Congestion.kernelDefault
    /// `SO_MARK`; 0 (the default) = none.
    public var mark: UInt32 = 0
    /// `IP_TOS`, `IPV6_TCLASS`; 0 to 255, default 0.
    public var tos: UInt8 = 0
    /// Default: automatic.
    public var noDelay = NoDelay.automatic
    /// TCP Fast Open. Default: false.
    public var fastOpen = false
    /// Default: automatic.
    public var buffer = Buffer.automatic
    /// `SO_BINDTODEVICE`; nil (the default) = none.
    public var bindInterface: String?
    /// The source address to dial from; nil (the default) = the kernel's choice. Always nil for a listener.
    public var bindAddress: IPAddress?

    init() {}
}
