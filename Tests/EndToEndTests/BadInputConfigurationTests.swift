import FoundationEssentials
import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// A wrong configuration ends the program with status 78, and says where and what.
    @Suite(.serialized) struct BadInputConfigurationTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let config: String
            /// `LINE:COLUMN: error: …` at the start of a line, one of each error.
            let expected: [String]

            init(_ name: String, _ config: String, _ expected: String...) {
                testDescription = name
                self.config = config
                self.expected = expected
            }
        }

        static let relay = "[[relay]]\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = \"echo://\"\n"

        static let wrong = [
            Case("no TOML", "[[relay\n", "1:"),
            Case("unknown key, with the nearest", relay + "idle-timeot = \"1s\"\n", "4:1: error: ", "'idle-timeout'"),
            Case("wrong type", "[daemon]\nthreads = \"many\"\n" + relay, "2:11: error: "),
            Case("impossible duration", relay + "connect-timeout = \"5 parsecs\"\n", "4:19: error: "),
            Case("number out of range", relay + "max-connections = -1\n", "4:19: error: "),
            Case("unknown word", relay + "mode = \"agregate\"\n", "4:8: error: ", "aggregate"),
            Case("bad address", "[[relay]]\nlisten = \"tcp://127.0.0.1\"\nupstream = \"echo://\"\n", "2:10: error: "),
            Case("bad scheme", "[[relay]]\nlisten = \"udp://127.0.0.1:1\"\nupstream = \"echo://\"\n", "2:10: error: "),
            Case("missing upstream", "[[relay]]\nlisten = \"tcp://127.0.0.1:1\"\n", "1:", "upstream"),
            Case("duplicate key", relay + "upstream = \"echo://\"\n", "4:1: error: "),
            Case("duplicate name", relay + "name = \"a\"\n" + relay + "name = \"a\"\n", "8:8: error: "),
            Case(
                "unset variable", "[[relay]]\nlisten = \"tcp://127.0.0.1:${NO_SUCH_PORT}\"\nupstream = \"echo://\"\n",
                "2:10: error: ", "NO_SUCH_PORT"),
            Case(
                "every error is reported", "[daemon]\nthreads = 0\n" + relay + "modus = 1\nidle-timeout = 3\n",
                "2:11: error: ", "6:1: error: ", "7:16: error: "),
        ]

        @Test(arguments: wrong) func aWrongConfigurationIsRefused(_ wrong: Case) throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                for command in ["check", "run"] {
                    let refusal = try BraidProgram.refusal(command, config: wrong.config, in: host)
                    #expect(refusal.status == .exited(78), "\(refusal.message)")
                    for part in wrong.expected {
                        #expect(refusal.message.contains(part), "\(part) in:\n\(refusal.message)")
                    }
                    let lines = refusal.message.split(separator: "\n")
                    #expect(
                        lines.allSatisfy { $0.hasPrefix("braid.toml:") && $0.contains("error: ") }, "\(refusal.message)"
                    )
                }
            }
        }

        @Test func aMissingFileIsRefused() throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                let output = try BraidProgram.run(["run", "--config", "/nonexistent/braid.toml"], in: host)
                #expect(output.status == .exited(78))
                #expect(output.standardError.contains("/nonexistent/braid.toml"))
                #expect(output.standardError.contains("No such file"))
                #expect(output.standardOutput == "")
            }
        }

        @Test func aDirectoryAndAnUnreadableFileAreRefused() throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                var output = try BraidProgram.run(["check", "--config", directory.path], in: host)
                #expect(output.status == .exited(78), "\(output.standardError)")
                let file = try directory.write(Self.relay, to: "secret.toml")
                chmod(file, 0)
                output = try BraidProgram.run(
                    ["check", "--config", file], in: host,
                    prefix: ["setpriv", "--bounding-set=-all", "--inh-caps=-all"])
                #expect(output.status == .exited(78), "\(output.standardError)")
                #expect(output.standardError.contains("Permission denied"), "\(output.standardError)")
            }
        }

        @Test(arguments: [["nonsense"], ["run", "--nonsense"], ["run", "--config"], ["check", "a", "b"]])
        func wrongUsageIsSaid(_ arguments: [String]) throws {
            try Lab.with { lab in
                let output = try BraidProgram.run(arguments, in: try lab.host("alone"))
                #expect(output.status == .exited(64))
                #expect(output.standardError.contains("Usage:"))
            }
        }
    }
}
