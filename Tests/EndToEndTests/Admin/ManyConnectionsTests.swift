import Lab
import Testing

extension EndToEndSuite {
    /// Long lists: whole, streamed, and without a cost to those who do not ask.
    @Suite(.serialized) struct ManyConnectionsTests {
        @Test func everyConnectionIsListedOnce() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let count = 1000
                let crowd = try admin.host.spawn(
                    [
                        "python3", "-uc",
                        """
                        import socket, sys
                        crowd = [socket.create_connection(('127.0.0.1', 8080)) for n in range(\(count))]
                        for s in crowd: s.sendall(b'x')
                        for s in crowd: s.recv(1)
                        print('here', flush=True)
                        sys.stdin.read()
                        """,
                    ], input: true)
                try await crowd.line(containing: "here", timeout: .seconds(60))
                let before = try admin.braid.residentBytes()
                for _ in 0..<4 {
                    let listed = try JSON.parse(try admin.command("connections", "--json").standardOutput)
                    #expect(listed.list.count == 2 * count)
                    #expect(Set(listed.list.compactMap { $0["id"]?.number }).count == 2 * count)
                    #expect(listed.list.allSatisfy { $0["subflows"]?.list.count == 1 })
                }
                // What was listed is let go again.
                #expect(try admin.braid.residentBytes() < before + 24 << 20)
                let busiest = try JSON.parse(try admin.owner("/v1/busiest?limit=7&search=near").body)
                #expect(busiest["total"]?.number == Double(2 * count))
                #expect(busiest["matching"]?.number == Double(count))
                #expect(busiest["connections"]?.list.count == 7)
                #expect(busiest["multipath"]?.number == Double(2 * count))
            }
        }

        @Test func aReaderThatBreaksOffOrDawdlesHoldsNothingUp() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let output = try admin.host.run(
                    [
                        "python3", "-c",
                        """
                        import socket, time
                        crowd = [socket.create_connection(('127.0.0.1', 8080)) for n in range(1500)]
                        for s in crowd: s.sendall(b'x')
                        for s in crowd: s.recv(1)
                        slow = []
                        for n in range(20):
                            s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                            s.connect(('127.0.0.1', 9180))
                            s.sendall(b'GET /v1/connections HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
                            if n % 2: s.close()
                            else: slow.append(s)
                        worst = 0
                        for n in range(200):
                            began = time.monotonic(); crowd[0].sendall(b'x'); crowd[0].recv(1)
                            worst = max(worst, time.monotonic() - began)
                        print('ok' if worst < 1 else worst)
                        """,
                    ], timeout: .seconds(60))
                #expect(output.standardOutput == "ok\n")
                let listed = try admin.command("connections", "--json")
                #expect(listed.status == .exited(0), "\(listed.standardError)")
            }
        }
    }
}
