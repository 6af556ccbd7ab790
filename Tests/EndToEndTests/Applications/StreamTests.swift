import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// Streams one way, by iperf3 and nc as they are.
    @Suite(.serialized) struct StreamTests {
        private static let port: UInt16 = 5201

        /// What `iperf3 --json` says, as far as it matters here.
        private struct Report: Decodable {
            struct End: Decodable {
                struct Sum: Decodable { let bytes: Double }
                struct Stream: Decodable {
                    let sender: Sum
                    let receiver: Sum
                }
                let streams: [Stream]
                let sum_sent: Sum
                let sum_received: Sum
            }
            let end: End
            let error: String?
        }

        @Test(arguments: [[], ["--reverse"], ["--bidir"]], [1, 8])
        func iperf(direction: [String], streams: Int) async throws {
            try await TwoEnds.with(ports: [Self.port]) { ends in
                let iperf = try Application.iperf3.path
                let server = try ends.far.spawn([iperf, "--server", "--bind", "127.0.0.1"])
                try await ends.far.waitForListener(port: Self.port, of: server)
                let output = try ends.near.run(
                    [iperf, "--client", "127.0.0.1", "--json", "--parallel", "\(streams)", "--time", "1"] + direction,
                    timeout: .seconds(40))
                let report = try JSONDecoder().decode(Report.self, from: Data(output.standardOutput.utf8))
                #expect(report.error == nil)
                let both = direction == ["--bidir"] ? 2 : 1
                #expect(report.end.streams.count == streams * both)
                for stream in report.end.streams {
                    #expect(stream.receiver.bytes > 0)
                    #expect(stream.receiver.bytes <= stream.sender.bytes)
                }
                // The streams, and the one over which iperf3 talks about them.
                let count = streams * both + 1
                for braid in [ends.nearBraid, ends.farBraid] {
                    let records = try await braid.connections(count, relay: "\(Self.port)")
                    #expect(records.allSatisfy { $0["multipath"] == "yes" }, "\(records)")
                    let up = records.reduce(0) { $0 + ($1.number("bytes_up") ?? 0) }
                    let down = records.reduce(0) { $0 + ($1.number("bytes_down") ?? 0) }
                    #expect(Double(direction == ["--reverse"] ? down : up) >= report.end.sum_received.bytes)
                    #expect(both == 1 || down > 1_000_000)
                }
            }
        }

        @Test func aClientThatEndsFirstStillGetsItsAnswer() async throws {
            try await TwoEnds.with(ports: [7000]) { ends in
                let python = try Application.python.path
                let server = try ends.far.spawn([python, "-uc", Self.digestServer])
                try await ends.far.waitForListener(port: 7000, of: server)
                let netcat = try Application.netcat.path
                for size in [0, 1, 100_000, 5_000_000] {
                    let file = try ends.randomFile("file\(size)", bytes: size)
                    let answer = try ends.near.run("sh", "-c", "\(netcat) -N 127.0.0.1 7000 < \(file)").standardOutput
                    let digest = try ends.near.run("sha256sum", file).standardOutput.prefix(64)
                    #expect(answer == "\(size) \(digest)\n")
                }
                let records = try await ends.expectMultipath(7000, connections: 4)
                #expect(records.compactMap { $0.number("bytes_up") }.sorted() == [0, 1, 100_000, 5_000_000])
            }
        }

        @Test func aServerThatEndsFirstStillGetsTheRest() async throws {
            try await TwoEnds.with(ports: [7000]) { ends in
                let answer = try ends.randomFile("answer", bytes: 1_000_000)
                let question = try ends.randomFile("question", bytes: 3_000_000)
                let received = ends.directory.file("received")
                let copy = ends.directory.file("copy")
                let netcat = try Application.netcat.path
                let server = try ends.far.spawn([
                    "sh", "-c", "exec \(netcat) -l -N 127.0.0.1 7000 < \(answer) > \(received)",
                ])
                try await ends.far.waitForListener(port: 7000, of: server)
                try ends.near.run([try Application.python.path, "-c", Self.lateClient, copy, question])
                #expect(try await server.finish().status == .exited(0))
                try ends.expectSame(answer, copy)
                try ends.expectSame(question, received)
                try await ends.expectMultipath(7000, connections: 1)
            }
        }

        /// Reads to the end, and only then answers: how much it was, and its SHA-256.
        private static let digestServer = """
            import hashlib, socket
            listener = socket.create_server(("127.0.0.1", 7000))
            while True:
                client, _ = listener.accept()
                digest, size = hashlib.sha256(), 0
                while part := client.recv(1 << 20):
                    digest.update(part)
                    size += len(part)
                client.sendall(f"{size} {digest.hexdigest()}\\n".encode())
                client.close()
            """

        /// Reads to the end into one file, and only then sends another.
        private static let lateClient = """
            import socket, sys
            server = socket.create_connection(("127.0.0.1", 7000), timeout=15)
            with open(sys.argv[1], "wb") as copy:
                while part := server.recv(1 << 20): copy.write(part)
            server.sendall(open(sys.argv[2], "rb").read())
            server.shutdown(socket.SHUT_WR)
            """
    }
}
