import FoundationEssentials
import Lab
import LinuxSystem
import Synchronization
import Testing

/// All that needs hosts of a lab, one after the other.
@Suite(.serialized, .timeLimit(.minutes(5)))
enum DoctorSuite {}

/// The built program.
enum Program {
    /// `BRAID_BINARY`, or what lies beside this test program.
    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["BRAID_BINARY"], !named.isEmpty {
            return URL(fileURLWithPath: named).standardizedFileURL.path
        }
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("braid").path
    }()
}

/// One line of `braid doctor`, and what is indented under it.
struct Line {
    var verdict: String
    var check: String
    var found: String
    var remedies: [(label: String, text: String)] = []

    /// The commands after `fix:`.
    var fixes: [String] { remedies.filter { $0.label == "fix" }.map(\.text) }
}

/// What `braid doctor` printed.
struct DoctorOutput {
    var status: ProcessExit.Status
    var lines: [Line] = []
    var summary = ""
    var text: String

    init(_ output: CommandOutput) throws {
        status = output.status
        text = output.standardOutput + output.standardError
        for line in output.standardOutput.split(separator: "\n") {
            if line.hasPrefix("     ") {
                let parts = line.dropFirst(5).split(separator: ":", maxSplits: 1)
                let label = String(try #require(parts.first))
                try #require(["fix", "keep", "do"].contains(label), "\(line)")
                let text = String(try #require(parts.last).dropFirst())
                try #require(!lines.isEmpty)
                lines[lines.count - 1].remedies.append((label, text))
                continue
            }
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count == 3, ["PASS", "WARN", "FAIL"].contains(words[0]) else {
                summary = String(line)
                continue
            }
            lines.append(
                Line(
                    verdict: String(words[0]), check: String(words[1]),
                    found: String(words[2].drop { $0 == " " })))
        }
    }

    /// The lines that are not PASS.
    var complaints: [Line] { lines.filter { $0.verdict != "PASS" } }

    /// The lines of a check.
    func lines(_ check: String) -> [Line] { lines.filter { $0.check == check } }
}

extension Host {
    /// Runs `braid doctor` here.
    func doctor(_ arguments: [String] = [], prefix: [String] = []) throws -> DoctorOutput {
        try DoctorOutput(
            run(prefix + [Program.path, "doctor"] + arguments, expecting: nil, timeout: .seconds(60)))
    }
}

/// A near end with two links to a far end, set up as doctor wants it.
final class TwoLinks: Sendable {
    let near: Host
    let far: Host
    let links: [Link]
    /// A process that a fault consists of.
    let planted = Mutex<HostProcess?>(nil)

    init(in lab: Lab) throws {
        near = try lab.host("near")
        far = try lab.host("far")
        let (near, far) = (near, far)
        links = try ["lte", "wifi"].map { try lab.link(near, far, name: $0, delay: .milliseconds(2)) }
        try near.multipath(over: links)
        try far.mptcp()
        for host in [near, far] {
            try host.sysctl("net.mptcp.blackhole_timeout", "0")
            try host.sysctl("net.ipv4.tcp_notsent_lowat", "65536")
        }
    }

    /// Makes the lab, lends it, and closes it.
    static func with(_ body: (TwoLinks) async throws -> Void) async throws {
        try await Lab.with { lab in try await body(TwoLinks(in: lab)) }
    }
}
