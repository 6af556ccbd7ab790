import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Too many clients: those that find no place wait, and are served when there is one.
    @Suite(.serialized) struct BadInputLimitTests {
        static func echo(_ more: String = "") -> String {
            "[[relay]]\nname = \"echo\"\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = \"echo://\"\n\(more)\n"
        }

        private func roundTrip(_ peer: Peer, _ name: String) async throws {
            try await peer.must("\(name) send hello")
            #expect(try await peer.must("\(name) read 5") == "hello")
        }

        @Test func withoutDescriptorsClientsWaitAndAreServedLater() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(
                    Self.echo() + "[limits]\nconnections = 1000\n", in: host, daemon: "threads = 1",
                    prefix: ["prlimit", "--nofile=64:64"])
                let peer = try Peer(in: host)
                for index in 0..<80 { try await peer.must("c\(index) connect 127.0.0.1 8080") }
                let notice = try await braid.record("accept-backoff")
                #expect(notice.message.contains("LimitNOFILE"), "\(notice)")
                // Those that are in go on.
                try await roundTrip(peer, "c0")
                for index in 0..<40 { try await peer.must("c\(index) close") }
                for index in 40..<80 { try await roundTrip(peer, "c\(index)") }
                try await braid.record { $0.message.contains("accepting again") }
                // Once for each time that they ran out: who waits may take those that became free before all forty did.
                #expect(braid.records("accept-backoff").count <= 3, "\(braid.records)")
                for index in 40..<80 { try await peer.must("c\(index) close") }
                for record in try await braid.connections(80) { #expect(record.result == "closed", "\(record)") }
            }
        }

        @Test(arguments: ["max-connections = 2", "[limits]\nconnections = 2"])
        func clientsBeyondTheLimitWaitInTheBacklog(_ limit: String) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                // With one loop, what a client asks after another came is answered after that one was looked at.
                let braid = try await BraidProcess.start(Self.echo(limit), in: host, daemon: "threads = 1")
                let peer = try Peer(in: host)
                for name in ["a", "b"] {
                    try await peer.must("\(name) connect 127.0.0.1 8080")
                    try await roundTrip(peer, name)
                }
                for name in ["c", "d"] {
                    try await peer.must("\(name) connect 127.0.0.1 8080")
                    try await peer.must("\(name) send hello")
                }
                try await roundTrip(peer, "a")
                try await roundTrip(peer, "b")
                #expect(try backlog(host) == 2)
                try await braid.record("connection-limit-reached")
                try await peer.must("a close")
                #expect(try await peer.must("c read 5") == "hello")
                #expect(try backlog(host) == 1)
                try await peer.must("b close")
                #expect(try await peer.must("d read 5") == "hello")
                try await peer.must("c close")
                try await peer.must("d close")
                try await braid.connections(4)
            }
        }

        /// How many clients wait to be accepted on port 8080.
        private func backlog(_ host: Host) throws -> Int? {
            let words = try host.run("ss", "-Hltn", "sport = :8080").standardOutput.split(separator: " ")
            return words.count > 1 ? Int(words[1]) : nil
        }

        @Test func nothingIsLeftOfConnectionsThatEnded() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.echo(), in: host)
                let peer = try Peer(in: host)
                let before = try braid.openDescriptors()
                for index in 0..<50 {
                    try await peer.must("c\(index) connect 127.0.0.1 8080")
                    try await roundTrip(peer, "c\(index)")
                }
                for index in 0..<50 { try await peer.must("c\(index) \(index % 2 == 0 ? "close" : "reset")") }
                try await braid.connections(50)
                // The record is written once the sockets are closed. Pipes that wait for the next connection may stay.
                #expect(try braid.openDescriptors() <= before + 8)
            }
        }
    }
}
