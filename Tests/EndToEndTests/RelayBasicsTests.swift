import FoundationEssentials
import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Half-close, Unix sockets, and what the log says of a connection.
    @Suite(.serialized) struct RelayBasicsTests {
        /// Near and far end in one process, to port 9000 of the same host.
        static let chain = """
            [[relay]]
            name = "near"
            listen = "tcp://127.0.0.1:8080"
            upstream = "mptcp://127.0.0.1:7143"
            [[relay]]
            name = "far"
            listen = "mptcp://127.0.0.1:7143"
            upstream = "tcp://127.0.0.1:9000"
            """

        @Test func eachDirectionEndsByItself() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.chain, in: host)
                let client = try Peer(in: host)
                let server = try Peer(in: host)
                try await server.must("s listen 127.0.0.1 9000")
                for (first, second, other) in [(client, server, ("c", "u")), (server, client, ("u", "c"))] {
                    try await client.must("c connect 127.0.0.1 8080")
                    try await server.must("s accept u")
                    let (mine, theirs) = other
                    // The first has said all and ends its direction; the second hears it all, and only then answers.
                    let sent = try await first.must("\(mine) send-bytes 300000")
                    try await first.must("\(mine) shutdown")
                    #expect(try await second.must("\(theirs) to-end") == sent)
                    let pending = try first.begin("\(mine) to-end")
                    let answered = try await second.must("\(theirs) send-bytes 3000000")
                    try await second.must("\(theirs) close")
                    #expect(try await pending.answer() == "ok \(answered)")
                    try await first.must("\(mine) close")
                }
                for record in try await braid.connections(4) { #expect(record.result == "closed", "\(record)") }
            }
        }

        @Test func netcatHalfCloses() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await BraidProcess.start(
                    "[[relay]]\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = \"echo://\"\n", in: host)
                let said = String(repeating: "line\n", count: 5000)
                let heard = try host.run(["nc", "-N", "127.0.0.1", "8080"], input: said)
                #expect(heard.standardOutput == said)
            }
        }

        @Test func unixSocketsAtBothSides() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let front = directory.file("front.sock")
                let back = directory.file("back.sock")
                let peer = try Peer(in: host)
                try await peer.must("s listen-unix \(back)")
                // What a killed daemon leaves: a file, and nobody behind it.
                let dead = try Peer(in: host)
                try await dead.must("s listen-unix \(front)")
                dead.kill()
                let braid = try await BraidProcess.start(
                    "[[relay]]\nlisten = \"unix://\(front)\"\nupstream = \"unix://\(back)\"\n", in: host)
                try await peer.must("c connect-unix \(front)")
                try await peer.must("s accept u")
                let sent = try await peer.must("c send-bytes 100000")
                try await peer.must("c shutdown")
                #expect(try await peer.must("u to-end") == sent)
                try await peer.must("u send bye")
                try await peer.must("u close")
                #expect(try await peer.must("c read 3") == "bye")
                try await peer.must("c close")
                let record = try await braid.connections()[0]
                #expect(record["upstream"] == "unix://\(back)", "\(record)")
                try await braid.stop()
                #expect(!FileManager.default.fileExists(atPath: front))
                #expect(FileManager.default.fileExists(atPath: back))
            }
        }

        @Test func aConnectionsRecordHasAllItsFields() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.chain, in: host)
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 9000")
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("s accept u")
                try await peer.must("c send question")
                #expect(try await peer.must("u read 8") == "question")
                try await peer.must("u send answer!")
                #expect(try await peer.must("c read 7") == "answer!")
                try await peer.must("c close")
                try await peer.must("u close")
                let records = try await braid.connections(2)
                #expect(Set(records.map { $0["relay"] }) == ["near", "far"])
                for record in records {
                    #expect(record["level"] == "info", "\(record)")
                    #expect(record.result == "closed", "\(record)")
                    #expect(record["multipath"] == "yes", "\(record)")
                    #expect(record.number("subflows") == 1, "\(record)")
                    #expect(record.number("bytes_up") == 8, "\(record)")
                    #expect(record.number("bytes_down") == 7, "\(record)")
                    #expect(record.number("connection") ?? 0 > 0, "\(record)")
                    #expect(record.number("duration_usec") ?? 0 > 0, "\(record)")
                    #expect(record.number("connect_usec") ?? 0 > 0, "\(record)")
                    #expect(record["client"]?.hasPrefix("127.0.0.1:") == true, "\(record)")
                    let upstream = record["relay"] == "near" ? "mptcp://127.0.0.1:7143" : "tcp://127.0.0.1:9000"
                    #expect(record["upstream"] == upstream, "\(record)")
                    #expect(record["time"]?.hasSuffix("Z") == true, "\(record)")
                }
                #expect(records[0].number("connection") != records[1].number("connection"))
            }
        }
    }
}
