/// A laboratory of network hosts on one machine: hosts are network namespaces, and links between them have rate, delay,
/// loss, and switches for faults.
///
/// ```swift
/// let lab = try Lab()
/// defer { lab.close() }
/// let near = try lab.host("near")
/// let far = try lab.host("far")
/// let lte = try lab.link(near, far, name: "lte", rate: .mbit(50), delay: .milliseconds(10))
/// try near.run("some-client", lte.address(of: far))
/// lte.blackhole(true)
/// ```
///
/// It needs root, or `unshare -Urn`: it makes network namespaces, veth pairs and packet sockets, and nothing outside
/// of them. Everything is gone when the lab ends (`close()`, or the end of the last lab, host and link object), or
/// when this process ends, however it does: processes are killed, and namespaces vanish with their last user.
///
/// `/sys` inside a host is that of the machine: `ip` and `ss` (netlink) and `/proc/sys/net` show the host's own state.
public final class Lab: Sendable {
    let state: LabState

    /// Makes an empty lab.
    ///
    /// - Parameter seed: What decides which packets a lossy link loses.
    /// - Throws: EPERM without the rights named above.
    public init(seed: UInt64 = 1) throws(LabError) {
        state = try LabState(seed: seed)
        let wires = state.wires
        // No packets of its own shall come from where the emulator listens.
        try wires.writeSysctl("net.ipv6.conf.default.disable_ipv6", "1")
    }

    /// Makes a lab, lends it to a closure, and closes it, also when the closure throws.
    ///
    /// - Parameters:
    ///   - seed: What decides which packets a lossy link loses.
    ///   - body: What to do in the lab.
    public static func with<Result>(seed: UInt64 = 1, _ body: (Lab) throws -> Result) throws -> Result {
        let lab = try Lab(seed: seed)
        defer { lab.close() }
        return try body(lab)
    }

    /// Makes a lab, lends it to a closure, and closes it, also when the closure throws.
    ///
    /// - Parameters:
    ///   - seed: What decides which packets a lossy link loses.
    ///   - body: What to do in the lab.
    public static func with<Result>(
        seed: UInt64 = 1, _ body: (Lab) async throws -> Result
    ) async throws -> Result {
        let lab = try Lab(seed: seed)
        defer { lab.close() }
        return try await body(lab)
    }

    /// Adds a host: a network namespace with `lo` up.
    ///
    /// Its settings do not depend on the machine's: reverse path filtering is off (the kernel's default), and addresses
    /// can be used at once (no duplicate address detection).
    ///
    /// - Parameters:
    ///   - name: How the host is called; unique in the lab.
    ///   - forwards: Whether it is a router, that is, passes on packets that are not for itself.
    public func host(_ name: String, forwards: Bool = false) throws(LabError) -> Host {
        let namespace = try Host.Namespace(name: name)
        try state.add(namespace)
        let host = Host(namespace: namespace, state: state)
        for family in ["all", "default"] {
            try host.sysctl("net.ipv4.conf.\(family).rp_filter", "0")
            try host.sysctl("net.ipv6.conf.\(family).accept_dad", "0")
        }
        if forwards {
            try host.sysctl("net.ipv4.ip_forward", "1")
            try host.sysctl("net.ipv6.conf.all.forwarding", "1")
        }
        return host
    }

    /// Adds a link with the same profile both ways. See `link(_:_:name:aToB:bToA:mtu:)`.
    ///
    /// - Parameters:
    ///   - a: The host at end A.
    ///   - b: The host at end B.
    ///   - name: The interface's name in both hosts.
    ///   - rate: How fast it is, each way.
    ///   - delay: How long a packet travels, one way: half of what it adds to the round-trip time.
    ///   - loss: The fraction of packets that are lost, from 0 to 1.
    ///   - queue: Bytes that may wait to be sent; `nil`: 100 ms at the rate, and at least 64 KiB.
    public func link(
        _ a: Host, _ b: Host, name: String, rate: Rate = .unlimited, delay: Duration = .zero, loss: Double = 0,
        queue: Int? = nil
    ) throws(LabError) -> Link {
        let profile = LinkProfile(rate: rate, delay: delay, loss: loss, queue: queue)
        return try link(a, b, name: name, aToB: profile, bToA: profile)
    }

    /// Adds a link between two hosts, through the emulator.
    ///
    /// The lab's K-th link has the networks 10.0.K.0/24 and fd00:0:0:K::/64; end A has the host part 1, end B 2.
    ///
    /// - Parameters:
    ///   - a: The host at end A.
    ///   - b: The host at end B.
    ///   - name: The interface's name in both hosts.
    ///   - aToB: What the way from A to B is like.
    ///   - bToA: What the way from B to A is like.
    ///   - mtu: The largest IP packet, in bytes.
    public func link(
        _ a: Host, _ b: Host, name: String, aToB: LinkProfile, bToA: LinkProfile, mtu: Int = 1500
    ) throws(LabError) -> Link {
        try Link(number: state.nextLink(), name: name, ends: [a, b], profiles: [aToB, bToA], mtu: mtu, state: state)
    }

    /// Joins two hosts directly, without the emulator: as fast as the kernel can, with all offloads, and without
    /// switches. Addresses are as those of other links.
    ///
    /// - Parameters:
    ///   - a: The host at end A.
    ///   - b: The host at end B.
    ///   - name: The interface's name in both hosts.
    ///   - mtu: The largest IP packet, in bytes.
    public func cable(_ a: Host, _ b: Host, name: String, mtu: Int = 1500) throws(LabError) -> Cable {
        try Cable(number: state.nextLink(), name: name, ends: [a, b], mtu: mtu)
    }

    /// Ends the lab: kills its processes, stops the emulator, lets the namespaces go. Harmless when done.
    public func close() {
        state.close()
    }
}
