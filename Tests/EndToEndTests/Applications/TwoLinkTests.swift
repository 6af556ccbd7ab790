import Lab
import Testing

extension EndToEndSuite {
    /// A file over two links of 50 Mbit/s: as fast as both, and whole when one of them is cut.
    @Suite(.serialized) struct TwoLinkTests {
        private static let rate = Rate.mbit(50)
        /// What one such link carries of plain TCP: 1448 bytes in each frame of 1514.
        private static let oneLink = 50e6 * 1448 / 1514
        private static let port: UInt16 = 8080

        private func withFile(bytes: Int, _ body: (TwoEnds, String) async throws -> Void) async throws {
            try await TwoEnds.with(ports: [Self.port], rate: Self.rate, delay: .milliseconds(10)) { ends in
                let file = try ends.randomFile("file", bytes: bytes)
                try await WebServer.start(ends, port: Self.port, root: ends.directory.path)
                try await body(ends, file)
            }
        }

        private func curl(_ output: String) throws -> [String] {
            [
                try Application.curl.path, "--silent", "--show-error", "--fail", "--output", output,
                "--write-out", "%{size_download} %{time_total}", "http://127.0.0.1:\(Self.port)/file",
            ]
        }

        @Test func aFileIsAsFastAsBothLinks() async throws {
            let size = 100_000_000
            try await withFile(bytes: size) { ends, file in
                let copy = ends.directory.file("copy")
                let output = try ends.near.run(try curl(copy), timeout: .seconds(60))
                let words = output.standardOutput.split(separator: " ").compactMap { Double($0) }
                try #require(words.count == 2)
                #expect(Int(words[0]) == size)
                try ends.expectSame(file, copy)
                let rate = words[0] * 8 / words[1]
                print(
                    "two links: \((rate / 1e4).rounded() / 100) Mbit/s, \((rate / Self.oneLink * 100).rounded() / 100) of one"
                )
                #expect(rate >= 1.8 * Self.oneLink)
                let record = try #require(try await ends.expectMultipath(Self.port, connections: 1).first)
                #expect(record.number("subflows") == 2)
                #expect((record.number("bytes_down") ?? 0) > size)
            }
        }

        @Test func probeSaysMultipath() async throws {
            try await TwoEnds.with(ports: []) { ends in
                let output = try BraidProgram.run(
                    [
                        "probe", "\(ends.links[0].address(of: ends.far)):\(TwoEnds.echoPort)", "--count", "5",
                        "--interval", "0.05", "--require-multipath",
                    ], in: ends.near)
                #expect(output.status == .exited(0), "\(output.standardError)")
                #expect(output.standardOutput.contains("multipath: yes"), "\(output.standardOutput)")
                let record = try #require(try await ends.farBraid.connections(relay: "echo").first)
                #expect(record["multipath"] == "yes")
                #expect(record.number("subflows") == 2)
            }
        }

        /// What happens to a link.
        enum Fault: String, CaseIterable, Sendable {
            case carrierLost, blackhole
        }

        /// A fault of the link that was dialled over is met with the whole file, of the other with a smaller one.
        @Test(arguments: Fault.allCases, [0, 1])
        func aFileArrivesWholeWhenALinkIsCut(fault: Fault, link index: Int) async throws {
            let size = index == 0 ? 100_000_000 : 20_000_000
            try await withFile(bytes: size) { ends, file in
                let copy = ends.directory.file("copy")
                let client = try ends.near.spawn(try curl(copy))
                try await eventually("a third of the file is under way on both links") {
                    let bytes = ends.bytesTowardsNear()
                    return bytes.reduce(0, +) > size / 3 && bytes.allSatisfy { $0 > size / 20 }
                }
                #expect(client.isRunning)
                switch fault {
                case .carrierLost: try ends.links[index].carrier(down: true)
                case .blackhole: ends.links[index].blackhole(true)
                }
                let before = ends.bytesTowardsNear()
                let output = try await client.finish(timeout: .seconds(60))
                #expect(output.status == .exited(0), "\(output.standardError)")
                try ends.expectSame(file, copy)
                #expect(ends.bytesTowardsNear()[index] == before[index], "the link was cut")
                #expect(ends.bytesTowardsNear()[1 - index] - before[1 - index] > size / 4, "and the other was not")
                let record = try #require(try await ends.expectMultipath(Self.port, connections: 1).first)
                #expect(record.number("subflows") == 2)
            }
        }
    }
}
