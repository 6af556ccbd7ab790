import Lab
import Testing

extension EndToEndSuite {
    /// ssh and scp, as they are, over Braid.
    @Suite(.serialized) struct SecureShellTests {
        private static let port: UInt16 = 2222

        @Test func anInteractiveShell() async throws {
            try await TwoEnds.with(ports: [Self.port]) { ends in
                let server = try await SecureShellServer.start(ends, port: Self.port)
                let shell = try ends.near.spawn(
                    [try Application.ssh.path] + server.clientOptions
                        + ["-p", "\(Self.port)", "-tt", server.destination, "stty -echo; PS1= exec sh"],
                    input: true)
                // A question at a time: each answer has to come before the next question.
                try shell.write("tty\n")
                try await shell.line(matching: try Regex("^/dev/pts/[0-9]+\\r?$"))
                for number in 1...20 {
                    try shell.write("echo answer $((\(number) * \(number)))\n")
                    try await shell.line(matching: try Regex("^answer \(number * number)\\r?$"))
                }
                // More than fits into the terminal's and the links' buffers.
                try shell.write("seq 1 20000 | md5sum; seq 1 20000; echo done\n")
                try await shell.line(containing: "done")
                let sum = try ends.near.run("sh", "-c", "seq 1 20000 | md5sum").standardOutput
                    .split(separator: " ")[0]
                #expect(shell.lines.contains { $0.hasPrefix(sum) })
                let numbers = shell.lines.compactMap { Int($0.filter { $0 != "\r" }) }
                #expect(numbers.suffix(20000) == Array(1...20000)[...])
                try shell.write("exit 7\n")
                #expect(try await shell.finish().status == .exited(7))
                try await ends.expectMultipath(Self.port, connections: 1)
            }
        }

        @Test func aFileCopiedThereAndBack() async throws {
            try await TwoEnds.with(ports: [Self.port]) { ends in
                let server = try await SecureShellServer.start(ends, port: Self.port)
                let file = try ends.randomFile("file", bytes: 10_000_000)
                let there = ends.directory.file("there")
                let back = ends.directory.file("back")
                let scp = [try Application.scp.path] + server.clientOptions + ["-P", "\(Self.port)"]
                try ends.near.run(scp + [file, "\(server.destination):\(there)"], timeout: .seconds(60))
                try ends.expectSame(file, there)
                try ends.near.run(scp + ["\(server.destination):\(there)", back], timeout: .seconds(60))
                try ends.expectSame(file, back)
                try await ends.expectMultipath(Self.port, connections: 2)
            }
        }
    }
}
