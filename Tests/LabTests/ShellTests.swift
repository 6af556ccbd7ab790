import Glibc
import Lab
import Testing

extension LabSuite {
    /// `braid-lab`, what `make lab` starts.
    @Suite(.serialized) struct ShellTests {
        /// Beside this test's own program.
        private var program: String {
            let tests = linkTarget("/proc/self/exe")
            return String(tests[..<(tests.lastIndex(of: "/") ?? tests.startIndex)]) + "/braid-lab"
        }

        private func braidLab(_ arguments: [String], expecting: Int32? = 0) throws -> CommandOutput {
            try Lab.with { lab in
                // In a host of its own, so that it could not harm this one.
                try lab.host("outer").run([program] + arguments, expecting: expecting)
            }
        }

        @Test func theShellIsInHostNearAndReachesFar() throws {
            let script = """
                ip -br -4 addr
                lab far ip -br -4 addr
                $BRAID_LAB_FAR ip mptcp limits
                ip mptcp endpoint
                exit 7
                """
            let output = try braidLab(["--links", "3", "--", "sh", "-ec", script], expecting: 7).standardOutput
            for wanted in ["10.0.1.1/24", "10.0.3.1/24", "10.0.1.2/24", "10.0.3.2/24", "subflows 8", "dev link3"] {
                #expect(output.contains(wanted), "\(wanted) in \(output)")
            }
        }

        @Test func linksAreSwitchedFromTheShell() throws {
            let script = """
                lab link lte blackhole on up
                lab link wifi carrier down
                lab link wifi rate 5mbit
                lab link wifi delay 7ms down
                lab link wifi loss 2%
                lab link wifi queue 64k
                ip -o link show wifi
                echo ---; lab status
                for wrong in "link lte" "link none rate 1mbit" "link lte rate fast" "link lte blackhole maybe" nonsense
                do lab $wrong 2>/dev/null && echo "$wrong WORKED"; done
                lab help
                """
            let output = try braidLab(["--rate", "10mbit", "--delay", "1ms", "--", "sh", "-c", script]).standardOutput
            let status = output.split(separator: "---").last.map(String.init) ?? ""
            #expect(output.contains("NO-CARRIER"))
            #expect(status.contains("up: 10mbit, 0.001 seconds one way, loss 0.0, queue 125000 BLACKHOLE"))
            #expect(status.contains("wifi: carrier DOWN"))
            #expect(status.contains("down: 5mbit, 0.007 seconds one way, loss 0.02, queue 65536"))
            #expect(!output.contains("WORKED"))
            #expect(status.contains("lab help"))
        }

        @Test(arguments: [
            ["--rate", "fast"], ["--rate", "-5mbit"], ["--rate", "5"], ["--rate", ""], ["--rate", "nanmbit"],
            ["--rate", "infmbit"], ["--rate", "0mbit"], ["--delay", "5"], ["--delay", "ms"], ["--delay", "1e99s"],
            ["--loss", "101%"], ["--loss", "-1"], ["--loss", "nan"], ["--queue", "0"], ["--queue", "k"],
            ["--links", "0"], ["--links", "9"], ["--links", "two"], ["--nonsense"],
        ])
        func wrongArgumentsAreRefused(arguments: [String]) throws {
            let output = try braidLab(arguments + ["--", "echo", "RAN"], expecting: 64)
            #expect(!output.standardOutput.contains("RAN"))
            #expect(output.standardError.contains("Error:"))
        }
    }
}
