import Lab
import Testing

/// A near and a far host with two links between them, and Braid at both ends.
///
/// What listens on a port of the far host's loopback is reached, over MPTCP, at the same port of the near host's
/// loopback: applications need not know. An echo of the far end's own is at `echoPort` of the far host.
struct TwoEnds {
    /// Where the far end's `echo://` accepts MPTCP.
    static let echoPort: UInt16 = 20007

    let lab: Lab
    let near: Host
    let far: Host
    /// The link that connections are dialled over, and the one that joins.
    let links: [Link]
    let nearBraid: BraidProcess
    let farBraid: BraidProcess
    /// For the files of servers and clients.
    let directory: TemporaryDirectory

    /// Makes it, lends it to a closure, and ends it, also when the closure throws.
    ///
    /// - Parameters:
    ///   - ports: The services, each below 10000; its relays are called by its port at both ends.
    ///   - rate: Of each link.
    ///   - delay: Of each link, one way.
    ///   - keys: Lines for each of the near end's relays.
    ///   - isManaged: Whether both ends have `paths.manage`; else the endpoints are made by hand, and Braid follows the links
    ///     only.
    ///   - body: What to do with it.
    static func with<Result>(
        ports: [UInt16], rate: Rate = .mbit(400), delay: Duration = .milliseconds(2), keys: String = "",
        isManaged: Bool = false, _ body: (TwoEnds) async throws -> Result
    ) async throws -> Result {
        let directory = try TemporaryDirectory()
        let lab = try Lab()
        defer {
            lab.close()
            withExtendedLifetime(directory) {}
        }
        let near = try lab.host("near")
        let far = try lab.host("far")
        let links = try ["lte", "wifi"].map { try lab.link(near, far, name: $0, rate: rate, delay: delay) }
        if isManaged {
            for link in links { try near.uplink(link) }
        } else {
            try near.multipath(over: links)
            try far.mptcp()
        }
        let paths = isManaged ? "\n[paths]\nmanage = true\n" : ""
        let gateway = links[0].address(of: far)
        let farBraid = try await BraidProcess.start(
            relay("echo", listen: "mptcp://*:\(echoPort)", upstream: "echo://")
                + ports.map {
                    relay("\($0)", listen: "mptcp://*:\($0 + 10000)", upstream: "tcp://127.0.0.1:\($0)")
                }.joined() + paths,
            in: far)
        let nearBraid = try await BraidProcess.start(
            ports.map {
                relay("\($0)", listen: "tcp://127.0.0.1:\($0)", upstream: "mptcp://\(gateway):\($0 + 10000)")
                    + keys + "\n"
            }.joined() + paths
                + (isManaged ? links.map { "[[paths.link]]\ninterface = \"\($0.name)\"\n" }.joined() : ""),
            in: near)
        return try await body(
            TwoEnds(
                lab: lab, near: near, far: far, links: links, nearBraid: nearBraid, farBraid: farBraid,
                directory: directory))
    }

    /// A `[[relay]]` section.
    static func relay(_ name: String, listen: String, upstream: String) -> String {
        """
        [[relay]]
        name = "\(name)"
        listen = "\(listen)"
        upstream = "\(upstream)"

        """
    }

    /// Expects that so many connections to a service have ended, in order and multipath at both ends; answers the far
    /// end's records of them.
    ///
    /// - Parameters:
    ///   - port: The service.
    ///   - count: How many connections.
    ///   - results: How they may have ended.
    @discardableResult
    func expectMultipath(
        _ port: UInt16, connections count: Int, results: Set<String> = ["closed"],
        location: SourceLocation = #_sourceLocation
    ) async throws -> [LogRecord] {
        var records: [LogRecord] = []
        for braid in [nearBraid, farBraid] {
            records = try await braid.connections(count, relay: "\(port)")
            for record in records {
                #expect(record["multipath"] == "yes", "\(record)", sourceLocation: location)
                #expect(results.contains(record.result), "\(record)", sourceLocation: location)
            }
        }
        return records
    }

    /// Makes a file of random bytes, and answers its path.
    func randomFile(_ name: String, bytes: Int) throws -> String {
        let path = directory.file(name)
        try near.run(["sh", "-c", "head -c \(bytes) /dev/urandom > \(path)"], timeout: .seconds(60))
        return path
    }

    /// Expects two files to have the same bytes.
    func expectSame(_ one: String, _ other: String, location: SourceLocation = #_sourceLocation) throws {
        let output = try near.run(["cmp", one, other], expecting: nil, timeout: .seconds(60))
        #expect(
            output.status == .exited(0), "\(output.standardOutput)\(output.standardError)", sourceLocation: location)
    }

    /// Sends (or receives) bytes that the far host put on the links, so far.
    func bytesTowardsNear() -> [Int] {
        links.map { $0.counters($0.direction(from: far)).deliveredBytes }
    }
}

/// Waits until something is so that no event tells of, by looking every few milliseconds.
func eventually(
    _ what: String, within limit: Duration = .seconds(20), _ isSo: () throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try !isSo() {
        guard ContinuousClock.now < deadline else { throw LabError("\(what): not within \(limit)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
