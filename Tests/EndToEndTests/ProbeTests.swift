import struct Foundation.Data
import class Foundation.JSONSerialization
import CNamespace
import Glibc
import Lab
import LinuxSystem
import SystemPackage
import Testing

extension EndToEndSuite {
    /// `braid probe` and `braid echo`, as a user runs them.
    @Suite(.serialized)
    struct ProbeTests {
        private static let port: UInt16 = 7007

        /// Two hosts with one link each name, both ends set up for MPTCP, and an echo at the far end.
        private func withEcho(
            links names: [String] = ["lte", "wifi"], arguments: [String] = [],
            _ body: (_ near: Host, _ far: Host, _ links: [Link], _ echo: HostProcess) async throws -> Void
        ) async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let links = try names.map { try lab.link(near, far, name: $0, delay: .milliseconds(5)) }
                try near.multipath(over: links)
                try far.mptcp()
                let echo = try far.spawn(arguments + [BraidProgram.path, "echo", "--listen", "0.0.0.0:\(Self.port)"])
                try await echo.line(containing: "listening on 0.0.0.0:\(Self.port), multipath: yes")
                try await body(near, far, links, echo)
            }
        }

        private func probe(_ host: Host, _ arguments: String...) throws -> CommandOutput {
            try host.run([BraidProgram.path, "probe"] + arguments, expecting: nil)
        }

        @Test("two links: multipath, both subflows, and round trips as long as the link's")
        func twoLinks() async throws {
            try await withEcho { near, far, links, echo in
                let target = "\(links[0].address(of: far)):\(Self.port)"
                let output = try probe(near, target, "--count", "5", "--interval", "0.1", "--require-multipath")
                #expect(output.status == .exited(0))
                #expect(output.standardError == "")
                let lines = output.standardOutput.split(separator: "\n").map(String.init)
                #expect(lines.filter { $0.hasPrefix("64 bytes from \(target): seq=") }.count == 5)
                #expect(lines.contains("--- \(target) ---"))
                #expect(lines.contains("5 sent, 5 echoed"))
                #expect(lines.contains("multipath: yes"))
                #expect(lines.contains("subflows: 2"))
                for link in links { #expect(lines.contains { $0.hasPrefix("  \(link.address(of: near)):") }) }

                let times = try #require(lines.first { $0.hasPrefix("rtt min/avg/p99/max = ") })
                let minimum = try #require(times.dropFirst("rtt min/avg/p99/max = ".count).split(separator: "/").first)
                #expect(try #require(Double(minimum)) >= 10)

                try await echo.line(containing: "closed after 320 bytes, multipath: yes")
            }
        }

        @Test("an IPv6 address goes in brackets; --json is one document")
        func json() async throws {
            try await Lab.with { lab in
                let host = try lab.host("host")
                let echo = try host.spawn(BraidProgram.path, "echo", "--listen", "[::1]:\(Self.port)")
                try await echo.line(containing: "listening on [::1]:\(Self.port)")
                let output = try probe(host, "[::1]:\(Self.port)", "--count", "2", "--interval", "0", "--json")
                #expect(output.status == .exited(0))
                let object = try JSONSerialization.jsonObject(with: Data(output.standardOutput.utf8))
                let document = try #require(object as? [String: Any])
                #expect(document["multipath"] as? Bool == true)
                #expect(document["echoed"] as? Int == 2)
                #expect(document["target"] as? String == "[::1]:\(Self.port)")
            }
        }

        @Test("MPTCP switched off: it works, says so, and is a failure only where multipath is required")
        func switchedOff() async throws {
            try await withEcho(links: ["lte"]) { near, far, links, _ in
                try near.sysctl("net.mptcp.enabled", "0")
                let target = "\(links[0].address(of: far)):\(Self.port)"
                let output = try probe(near, target, "--count", "1")
                #expect(output.status == .exited(0))
                let truth = "multipath: no (fell back to TCP: MPTCP is switched off on this host (net.mptcp.enabled=0))"
                #expect(output.standardOutput.contains(truth))

                let required = try probe(near, target, "--count", "1", "--require-multipath")
                #expect(required.status == .exited(1))
                #expect(required.standardError == "braid probe: \(target): not multipath, which was required\n")
            }
        }

        @Test(
            "a kernel without MPTCP, and a filter that refuses it: both ends work, and say so",
            arguments: [
                (EPROTONOSUPPORT, "this host's kernel has no MPTCP"),
                (EINVAL, "this host's kernel has no MPTCP"),
                (EPERM, "this host refuses MPTCP sockets to this process (Operation not permitted)"),
            ])
        func withoutMultipath(error: Int32, reason: String) throws {
            try Lab.with { lab in
                let host = try lab.host("host")
                let place = "127.0.0.1:\(Self.port)"
                let script = """
                    fifo=$(mktemp -u) && mkfifo "$fifo" || exit 99
                    \(BraidProgram.path) echo --listen \(place) > "$fifo" & echo=$!
                    trap 'kill $echo' EXIT
                    exec 3< "$fifo"; rm "$fifo"; read line <&3
                    test "$line" = "listening on \(place), multipath: no (\(reason))" || exit 98
                    \(BraidProgram.path) probe \(place) --count 1 |
                        grep -qxF "multipath: no (fell back to TCP: \(reason))" || exit 97
                    trap - EXIT; kill $echo; wait $echo
                    """
                // The thread is the closure's own, and so is the filter.
                let status = host.inNamespace {
                    namespace_refuse_mptcp(error) == 0 ? system(script) : -1
                }
                #expect(status == 0)
            }
        }

        @Test("nobody there is 1, wrong usage is 64, with one complaint on standard error")
        func exitStatuses() throws {
            try Lab.with { lab in
                let host = try lab.host("host")
                let refused = try probe(host, "127.0.0.1:7")
                #expect(refused.status == .exited(1))
                #expect(refused.standardOutput == "")
                #expect(
                    refused.standardError
                        == "braid probe: 127.0.0.1:7: no connection: 127.0.0.1:7: Connection refused\n")
                for wrong in [
                    [], ["host"], ["::1:80"], ["host:0"], ["h:1", "--count", "-1"], ["h:1", "--size", "0"],
                    ["h:1", "--what"],
                ] {
                    let output = try host.run([BraidProgram.path, "probe"] + wrong, expecting: nil)
                    #expect(output.status == .exited(64), "\(wrong)")
                    #expect(output.standardOutput == "")
                }
            }
        }

        @Test("Ctrl-C prints the summary", arguments: [SIGINT, SIGTERM])
        func interrupted(signal: Int32) async throws {
            try await withEcho(links: ["lte"]) { near, far, links, _ in
                let target = "\(links[0].address(of: far)):\(Self.port)"
                let probe = try near.spawn(BraidProgram.path, "probe", target, "--count", "0", "--interval", "0.01")
                try await probe.line(containing: "seq=3 ")
                try probe.signal(signal)
                let output = try await probe.finish()
                #expect(output.status == .exited(0))
                #expect(output.standardOutput.contains("multipath: yes"))

                // Also while it waits for a connection that nobody answers.
                links[0].blackhole(true)
                let waiting = try near.spawn(BraidProgram.path, "probe", target)
                try await near.waitForConnecting(waiting)
                try waiting.signal(signal)
                #expect(try await waiting.finish().status == .exited(1))
            }
        }

        @Test("an echo ends on a signal with 0, and refuses an address in use with 71")
        func echoEnds() async throws {
            try await withEcho(links: ["lte"]) { _, far, _, echo in
                let second = try far.run(
                    [BraidProgram.path, "echo", "--listen", "127.0.0.1:\(Self.port)"], expecting: nil)
                #expect(second.status == .exited(71))
                #expect(second.standardError == "braid echo: 127.0.0.1:\(Self.port): Address already in use\n")
                try echo.signal(SIGTERM)
                #expect(try await echo.finish().status == .exited(0))
            }
        }

        @Test("out of descriptors the echo serves whom it has, and the others when there is room again")
        func descriptorLimit() async throws {
            try await withEcho(links: ["lte"], arguments: ["prlimit", "--nofile=24"]) { near, far, links, echo in
                let address = try SocketAddress(parsing: links[0].address(of: far), port: Self.port)
                // More than it has descriptors for, all connected as far as the kernel is concerned.
                var crowd: [Crowd] = []
                for _ in 0..<40 { crowd.append(try near.inNamespace { try Crowd(address) }) }
                try await echo.line(containing: "cannot accept for now")
                crowd = []
                let output = try probe(near, "\(address)", "--count", "1")
                #expect(output.status == .exited(0))
                #expect(echo.isRunning)
            }
        }

        /// One of many clients that connect and do nothing.
        private final class Crowd {
            let socket: Socket

            init(_ address: SocketAddress) throws(Errno) {
                let socket = try Socket.stream(.ipv4, .tcp)
                _ = try socket.connect(to: address)
                self.socket = socket
            }
        }
    }
}

extension Host {
    /// Waits until a connection of the host is in SYN-SENT: a process has begun to connect.
    fileprivate func waitForConnecting(_ process: HostProcess) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline, process.isRunning {
            // sl, local_address, rem_address, st: 02 is TCP_SYN_SENT.
            let isConnecting = try read("/proc/thread-self/net/tcp").split(separator: "\n").contains { line in
                let words = line.split(separator: " ", maxSplits: 4)
                return words.count > 3 && words[3] == "02"
            }
            if isConnecting { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("nobody connects")
    }
}
