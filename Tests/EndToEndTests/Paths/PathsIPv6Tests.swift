import Lab
import Testing

extension EndToEndSuite {
    /// Two links over IPv6 alone.
    @Suite(.serialized) struct PathsIPv6Tests {
        @Test func oneOfTwoLinksIsLostOverIPv6() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar()
                let near = try await BraidProcess.start(
                    """
                    \(PathsLab.managed)
                    [[relay]]
                    listen = "tcp://127.0.0.1:8080"
                    upstream = "mptcp://[\(paths.wifi.address6(of: paths.far))]:7143"
                    """, in: paths.near)
                let (client, _) = try await paths.applications()
                try await client.ping("127.0.0.1", port: 8080)
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                let sockets = try paths.near.run(
                    "ss", "-tnH", "state", "established", "dport", "=", ":7143"
                ).standardOutput
                for link in [paths.wifi, paths.lte] {
                    #expect(sockets.contains("[\(link.address6(of: paths.near))]"), "\(sockets)")
                }
                try await client.wait(for: 60)
                try await client.mark()
                paths.wifi.blackhole(true)
                try await client.wait(for: 40)
                let sample = try await client.sample()
                print("measured: ping-pong over IPv6, silence on wifi: worst round trip \(sample.worst)")
                #expect(sample.worst < .milliseconds(600), "\(sample)")
                try await near.record { $0.event == "link-down" && $0["link"] == "wifi" }
                paths.wifi.blackhole(false)
                try await paths.until("two subflows again") { try paths.subflows() == [2] }
                #expect(try await client.errors() == 0)
                client.kill()
                let record = try await near.connections()[0]
                #expect(record["multipath"] == "yes", "\(record)")
                #expect(record.number("subflows") ?? 0 >= 2, "\(record)")
            }
        }
    }
}
