import Lab
import Testing

extension EndToEndSuite {
    /// What bulk has in the kernel beyond what is on its way: all that is sent again after a link's death stands behind it.
    @Suite(.serialized) struct SendQueueTests {
        /// A subflow that sends, as the kernel tells of it.
        private struct Sending {
            /// Bytes sent and not acknowledged.
            var onTheWay: Int
            /// Bytes given to it and not sent.
            var queued: Int
            /// What it may hold, in bytes of kernel memory.
            var bound: Int
        }

        private func subflows(_ host: Host) throws -> [Sending] {
            try host.run("ss", "-tinmHO", "state", "established", "( sport = :7143 or dport = :7143 )").standardOutput
                .split(separator: "\n").compactMap { line in
                    func number(_ pattern: Regex<(Substring, Substring)>) -> Int? {
                        line.firstMatch(of: pattern).flatMap { Int($0.1) }
                    }
                    guard line.contains("tcp-ulp-mptcp"), let bound = number(/\btb(\d+)/) else { return nil }
                    return Sending(
                        onTheWay: (number(/unacked:(\d+)/) ?? 0) * (number(/\bmss:(\d+)/) ?? 0),
                        queued: number(/notsent:(\d+)/) ?? 0, bound: bound)
                }
        }

        /// Two links of 10 Mbit/s: with the congestion control that fills queues, an eighth of a megabyte is on its way over each.
        private func paths(_ lab: Lab) throws -> PathsLab {
            let profile = LinkProfile(rate: .mbit(10), delay: .milliseconds(10))
            return try PathsLab.make(in: lab, wifi: profile, lte: profile)
        }

        /// By itself the kernel queues twice as much as is on its way.
        @Test(arguments: [FailoverScene.Work.up, .down])
        func bulkQueuesNoMoreThanItsLinksNeed(_ work: FailoverScene.Work) async throws {
            try await Lab.with { lab in
                let paths = try paths(lab)
                let far = try await paths.startFar(relay: "socket.listen.congestion = \"cubic\"")
                let near = try await paths.startNear(relay: "socket.upstream.congestion = \"cubic\"")
                let (client, server) = try await paths.applications()
                let receiver = work == .up ? server : client
                if work == .up {
                    try await client.up("127.0.0.1", port: 8080)
                } else {
                    try await client.down("127.0.0.1", port: 8080)
                }
                let sender = work == .up ? paths.near : paths.far
                var good = 0
                try await eventually("little is queued, ten times in a row", within: .seconds(20)) {
                    let seen = try subflows(sender)
                    let isBound = seen.count == 2 && seen[0].bound == seen[1].bound
                    let (onTheWay, queued) = (seen.reduce(0) { $0 + $1.onTheWay }, seen.reduce(0) { $0 + $1.queued })
                    good = isBound && onTheWay > 100_000 && queued < onTheWay ? good + 1 : 0
                    return good == 10
                }
                // And both links are busy.
                try await receiver.mark()
                let begin = ContinuousClock.now
                try await receiver.wait(for: 5_000_000)
                let took = ContinuousClock.now - begin
                print("measured: 5 MB \(work.rawValue) over two links of 10 Mbit/s, little queued: \(took)")
                #expect(try await receiver.errors() == 0)
                withExtendedLifetime([far, near]) {}
            }
        }

        /// As at most far ends: what anybody may set is enough, where it is no less than the kernel would take by itself.
        @Test func itNeedsNoPrivilege() async throws {
            try await Lab.with { lab in
                let paths = try paths(lab)
                // Twice net.core.wmem_max, which cannot be set in here, is 425,984 at least.
                for host in [paths.near, paths.far] { try host.sysctl("net.ipv4.tcp_wmem", "4096 16384 400000") }
                let far = try await paths.startFar()
                let near = try await paths.startNear(
                    paths: "", relay: "socket.upstream.congestion = \"cubic\"",
                    prefix: ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"])
                try paths.near.mptcp()
                for link in [paths.wifi, paths.lte] { try paths.near.endpoint(link, .subflow) }
                let (client, _) = try await paths.applications()
                try await client.up("127.0.0.1", port: 8080)
                try await eventually("the bound is set", within: .seconds(20)) {
                    let bounds = try subflows(paths.near).map(\.bound)
                    // By itself the kernel gives a subflow 400,000 at most.
                    return bounds.count == 2 && bounds[0] == bounds[1] && bounds[0] > 400_000
                }
                #expect(try await client.errors() == 0)
                withExtendedLifetime([far, near]) {}
            }
        }

        /// What is set once is never the kernel's affair again: it has to be followed as long as the connection lives.
        @Test func itIsFollowedAfterAPauseToo() async throws {
            try await Lab.with { lab in
                let paths = try paths(lab)
                let far = try await paths.startFar()
                let near = try await paths.startNear(relay: "socket.upstream.congestion = \"cubic\"")
                let (client, server) = try await paths.applications()
                try await client.up("127.0.0.1", port: 8080)
                var before = 0
                try await eventually("the bound is set", within: .seconds(20)) {
                    let bounds = try subflows(paths.near).map(\.bound)
                    before = bounds.first ?? 0
                    return bounds.count == 2 && bounds[0] == bounds[1] && before > 250_000
                }
                // Six seconds of another connection's data: the first is not measured any more.
                let other = try Traffic(in: paths.near)
                try await other.up("127.0.0.1", port: 8080)
                try client.suspend()
                try await server.wait(for: 15_000_000)
                for link in [paths.wifi, paths.lte] { link.set(rate: .mbit(50)) }
                other.kill()
                try client.resume()
                try await eventually("the bound is that of faster links", within: .seconds(20)) {
                    // Of this connection: the other one is half closed.
                    try subflows(paths.near).count { $0.bound > 2 * before } == 2
                }
                #expect(try await server.errors() == 0)
                withExtendedLifetime([far, near]) {}
            }
        }

        @Test func whatTheConfigurationSaysStays() async throws {
            try await Lab.with { lab in
                let paths = try paths(lab)
                let far = try await paths.startFar()
                let near = try await paths.startNear(relay: "socket.upstream.buffer = \"3MiB\"")
                let (client, server) = try await paths.applications()
                try await client.up("127.0.0.1", port: 8080)
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                // Six seconds: it would have been bounded long since.
                try await server.wait(for: 15_000_000)
                #expect(Set(try subflows(paths.near).map(\.bound)) == [6 << 20])
                withExtendedLifetime([far, near]) {}
            }
        }
    }
}
