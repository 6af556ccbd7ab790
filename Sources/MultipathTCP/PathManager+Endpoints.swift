public import LinuxSystem
internal import SystemPackage

extension PathManager {
    /// Every endpoint, in the order in which the kernel uses them.
    ///
    /// - Throws: `PathManagerError`.
    public mutating func endpoints() throws(PathManagerError) -> [PathEndpoint] {
        var endpoints: [PathEndpoint] = []
        for message in try perform(.getEndpoint, flags: .dump) {
            if let endpoint = try Self.decode(message, PathManagerMessages.endpoint) { endpoints.append(endpoint) }
        }
        return endpoints
    }

    /// Adds an endpoint; connections that exist open their subflows on it at once.
    ///
    /// - Parameter endpoint: what to add. With id 0 the kernel takes a free one.
    /// - Returns: the endpoint as the kernel keeps it, with its id and without flags that the kernel does not know.
    /// - Throws: `PathManagerError.tooManyEndpoints`, `.needsNetAdmin`; `.refused` when the address or the id is one already
    ///   (`.fileExists`), or the flags exclude each other (`.invalidArgument`).
    @discardableResult
    public mutating func add(_ endpoint: PathEndpoint) throws(PathManagerError) -> PathEndpoint {
        var asked = endpoint
        asked.address.scope = 0
        do throws(PathManagerError) {
            _ = try perform(.addEndpoint) {
                PathManagerMessages.add(asked, as: PathManagerMessages.Attribute.endpoint, to: &$0)
            }
        } catch {
            if case .refused(.addEndpoint, let errno, _) = error, errno == .outOfRange {
                throw .tooManyEndpoints
            }
            if case .refused(.addEndpoint, .invalidArgument, let explanation?) = error, explanation.contains("too many")
            {
                throw .tooManyEndpoints
            }
            throw error
        }
        // The answer does not tell the id.
        let made = try endpoints().first {
            $0.address == asked.address && (asked.id == 0 || $0.id == asked.id)
        }
        guard let made else { throw .notFound("endpoint \(endpoint), which was just added") }
        return made
    }

    /// Removes an endpoint; the subflows on its address are closed, on every connection, and what they had not delivered goes
    /// over the others.
    ///
    /// A connection's first subflow is only shut down: it stays in the lists, in FIN_WAIT, until its peer acknowledged that or
    /// TCP gave up, but nothing is sent on it. The peer is told by one option that may take the way of the subflow that just
    /// died: until it notices by itself, what it sends may wait for one retransmission (200 ms).
    ///
    /// - Parameter id: 1 to 255.
    /// - Throws: `PathManagerError.notFound`, `.needsNetAdmin`.
    public mutating func remove(id: UInt8) throws(PathManagerError) {
        precondition(id != 0, "id 0 is removeInitialSubflows(from:)")
        let endpoint = PathEndpoint(id: id, address: .none, flags: [])
        _ = try perform(.removeEndpoint, notFound: "endpoint \(id)") {
            PathManagerMessages.add(endpoint, as: PathManagerMessages.Attribute.endpoint, to: &$0)
        }
    }

    /// Closes, on every connection, the first subflow when that has this address: what removing an endpoint does to the
    /// other subflows, for addresses that have none. (`ip mptcp endpoint delete id 0 ADDRESS`)
    ///
    /// - Throws: `PathManagerError.needsNetAdmin`, `.refused`.
    public mutating func removeInitialSubflows(from address: SocketAddress) throws(PathManagerError) {
        var plain = address.with(port: 0)
        plain.scope = 0
        _ = try perform(.removeEndpoint) {
            PathManagerMessages.add(
                PathEndpoint(address: plain, flags: []), as: PathManagerMessages.Attribute.endpoint, to: &$0)
        }
    }

    /// Removes every endpoint and closes their subflows, whoever added them.
    ///
    /// - Throws: `PathManagerError.needsNetAdmin`.
    public mutating func removeAll() throws(PathManagerError) {
        _ = try perform(.flushEndpoints)
    }

    /// Makes an endpoint backup or fullmesh, or no more; the peers of its subflows are told. Subflows of a connection's first
    /// address are reached only when that address has an endpoint.
    ///
    /// - Parameters:
    ///   - flags: `backup` and `fullmesh` are taken over, the others are not looked at.
    ///   - id: which endpoint.
    /// - Throws: `PathManagerError.notFound`, `.needsNetAdmin`, `.refused`.
    public mutating func setFlags(_ flags: EndpointFlags, id: UInt8) throws(PathManagerError) {
        let endpoint = PathEndpoint(id: id, address: .none, flags: flags.intersection([.backup, .fullmesh]))
        _ = try perform(.setFlags, notFound: "endpoint \(id)") { request in
            PathManagerMessages.add(endpoint, as: PathManagerMessages.Attribute.endpoint, to: &request)
        }
    }

    /// What the path manager does for one connection at most.
    ///
    /// - Throws: `PathManagerError`.
    public mutating func limits() throws(PathManagerError) -> PathLimits {
        guard let answer = try perform(.getLimits).first else {
            throw .netlink(.syntax(.malformed(offset: 0, "no limits")))
        }
        return try Self.decode(answer, PathManagerMessages.limits)
    }

    /// Sets the limits, each 0 to 8, for connections of the namespace from now on.
    ///
    /// - Throws: `PathManagerError.needsNetAdmin`, `.refused(.setLimits, .invalidArgument, …)` beyond 8.
    public mutating func setLimits(_ limits: PathLimits) throws(PathManagerError) {
        _ = try perform(.setLimits) {
            $0.add(PathManagerMessages.Attribute.acceptedAnnouncements, UInt32(clamping: limits.acceptedAnnouncements))
            $0.add(PathManagerMessages.Attribute.subflows, UInt32(clamping: limits.subflows))
        }
    }
}
