import Glibc
import Lab
import Testing

extension LabSuite {
    /// Running things in hosts.
    @Suite(.serialized) struct HostTests {
        private func alone(_ body: (Lab, Host) async throws -> Void) async throws {
            try await Lab.with { lab in try await body(lab, try lab.host("alone")) }
        }

        @Test func aCommandIsRunInTheHost() async throws {
            try await alone { _, host in
                let output = try host.run(["sh", "-c", "cat; echo problem >&2; exit 3"], input: "in", expecting: 3)
                #expect(output.standardOutput == "in")
                #expect(output.standardError == "problem\n")
                #expect(output.status == .exited(3))
                #expect(try host.run("ip", "-o", "link").standardOutput.split(separator: "\n").count == 1)
            }
        }

        @Test func anUnexpectedStatusIsAnErrorThatSaysWhy() async throws {
            try await alone { _, host in
                let error = #expect(throws: LabError.self) { try host.run("sh", "-c", "echo because >&2; exit 1") }
                #expect(error?.description.contains("because") == true)
                #expect(error?.description.contains("exit status 1") == true)
            }
        }

        @Test func aMissingProgramIsAnError() async throws {
            try await alone { _, host in
                let error = #expect(throws: LabError.self) { try host.run("/nonexistent/program") }
                #expect(error?.errno == ENOENT)
                #expect(throws: LabError.self) { try host.spawn("/nonexistent/program") }
            }
        }

        @Test func aCommandThatTakesTooLongIsKilled() async throws {
            try await alone { _, host in
                let start = ContinuousClock.now
                let error = #expect(throws: LabError.self) {
                    try host.run(["sh", "-c", "echo $$; sleep 1000 & wait"], timeout: .milliseconds(300))
                }
                #expect(ContinuousClock.now - start < .seconds(10))
                #expect(error?.description.contains("not done") == true)
                let left = try processes(in: host)
                #expect(left.isEmpty)
            }
        }

        @Test func outputOfAnySizeArrives() async throws {
            try await alone { _, host in
                let text = try host.run("sh", "-c", "seq 1 200000").standardOutput
                #expect(text.hasSuffix("\n200000\n"))
                #expect(text.utf8.count == 1_288_895)
            }
        }

        @Test func linesCanBeAwaited() async throws {
            try await alone { _, host in
                let process = try host.spawn(
                    ["sh", "-c", "echo one; read a; echo two $a $X >&2; read b; exit 4"], environment: ["X": "env"],
                    input: true)
                try await process.line(containing: "one")
                try process.write("hello\n")
                #expect(try await process.line(matching: /two (\w+)/) == "two hello env")
                #expect(process.isRunning)
                await #expect(throws: LabError.self) {
                    try await process.line(containing: "three", timeout: .milliseconds(50))
                }
                process.closeInput()
                #expect(try await process.finish().status == .exited(4))
                await #expect(throws: LabError.self) { try await process.line(containing: "three") }
            }
        }

        @Test func aProcessCanBeSignalledAndTerminated() async throws {
            try await alone { _, host in
                let first = try host.spawn("sleep", "1000")
                try first.signal(SIGTERM)
                #expect(try await first.finish().status == .signalled(SIGTERM))
                let second = try host.spawn("sh", "-c", "sleep 1000 & sleep 1000")
                second.terminate()
                second.terminate()
                #expect(second.exit?.status == .signalled(SIGKILL))
                let error = #expect(throws: LabError.self) { try second.signal(SIGTERM) }
                #expect(error?.errno == ESRCH)
            }
        }

        @Test func descriptorsArePassedAndNoOthers() async throws {
            try await alone { _, host in
                var ends: [CInt] = [0, 0]
                #expect(pipe(&ends) == 0)
                defer { ends.forEach { close($0) } }
                let process = try host.spawn(["sh", "-c", "echo here >&3; ls /proc/self/fd"], descriptors: [ends[1]])
                let output = try await process.finish()
                var buffer = [UInt8](repeating: 0, count: 16)
                #expect(read(ends[0], &buffer, 16) == 5)
                // The fifth is the directory that `ls` reads.
                #expect(output.standardOutput.split(separator: "\n").count == 5, "\(output.standardOutput)")
            }
        }

        @Test func listenersAreSeen() async throws {
            try await alone { _, host in
                for kind in ["0", "262"] {
                    let server = try host.spawn(
                        "python3", "-uc",
                        """
                        import socket, sys
                        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, \(kind))
                        s.bind(("127.0.0.1", 4321)); s.listen(); sys.stdin.read(); s.accept()
                        """)
                    try await host.waitForListener(port: 4321, of: server)
                    #expect(try !host.listens(port: 4322))
                    server.terminate()
                    #expect(try !host.listens(port: 4321))
                }
                let dead = try host.spawn("false")
                await #expect(throws: LabError.self) { try await host.waitForListener(port: 1, of: dead) }
                await #expect(throws: LabError.self) {
                    try await host.waitForListener(port: 1, timeout: .milliseconds(20))
                }
            }
        }

        @Test func settingsBelongToTheHost() async throws {
            try await alone { lab, host in
                let other = try lab.host("other")
                try host.sysctl("net.mptcp.enabled", "0")
                #expect(try host.sysctl("net.mptcp.enabled") == "0")
                #expect(try other.sysctl("net.mptcp.enabled") == "1")
                let error = #expect(throws: LabError.self) { try host.sysctl("net.mptcp.nonexistent", "0") }
                #expect(error?.errno == ENOENT)
                #expect(try host.counter("TcpExt", "TCPTimeouts") == 0)
                #expect(throws: LabError.self) { try lab.host("other") }
            }
        }

        @Test func wrongNamesAreErrors() async throws {
            try await alone { lab, host in
                let other = try lab.host("other")
                for name in ["", "much-too-long-for-it", "a/b", "a b"] {
                    #expect(throws: LabError.self) { try lab.link(host, other, name: name) }
                }
                _ = try lab.link(host, other, name: "twice")
                #expect(throws: LabError.self) { try lab.link(host, other, name: "twice") }
                // A failed link leaves the emulator in working order.
                let third = try lab.link(host, other, name: "third", delay: .milliseconds(1))
                #expect(try host.ping(third.address(of: other), count: 3).answers == 3)
            }
        }
    }
}
