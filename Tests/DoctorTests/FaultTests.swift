import Lab
import LinuxSystem
import Synchronization
import Testing

/// One thing wrong with an otherwise healthy host.
struct Fault: Sendable, CustomTestStringConvertible {
    /// What is planted.
    var name: String
    /// Which check has to name it.
    var check: String
    /// How bad it is.
    var verdict: String
    /// Part of what has to be said.
    var saying: String
    /// Plants it.
    var plant: @Sendable (TwoLinks) async throws -> Void

    var testDescription: String { name }

    static func sysctl(_ setting: String, _ value: String, _ check: String, _ verdict: String) -> Fault {
        Fault(name: "\(setting) = \(value)", check: check, verdict: verdict, saying: setting) {
            try $0.near.sysctl(setting, value)
        }
    }

    static let all: [Fault] = [
        sysctl("net.mptcp.enabled", "0", "mptcp-enabled", "FAIL"),
        sysctl("net.mptcp.path_manager", "userspace", "path-manager", "FAIL"),
        sysctl("net.mptcp.blackhole_timeout", "3600", "blackhole", "WARN"),
        sysctl("net.mptcp.syn_retrans_before_tcp_fallback", "0", "syn-fallback", "WARN"),
        sysctl("net.mptcp.checksum_enabled", "1", "checksum", "WARN"),
        sysctl("net.mptcp.allow_join_initial_addr_port", "0", "join-initial-address", "WARN"),
        sysctl("net.core.somaxconn", "128", "backlog", "WARN"),
        sysctl("net.ipv4.tcp_fastopen", "3", "fast-open", "WARN"),
        sysctl("net.ipv4.tcp_rmem", "4096 131072 262144", "buffers", "WARN"),
        sysctl("net.ipv4.tcp_wmem", "4096 16384 262144", "buffers", "WARN"),
        sysctl("net.ipv4.tcp_moderate_rcvbuf", "0", "buffers", "WARN"),
        sysctl("net.ipv4.tcp_notsent_lowat", "4294967295", "unsent", "WARN"),
        Fault(name: "rp_filter = 1 on every link, with rules", check: "rp-filter", verdict: "WARN", saying: "strict") {
            try $0.near.sysctl("net.ipv4.conf.all.rp_filter", "1")
        },
        Fault(name: "rp_filter = 1, and no rule", check: "rp-filter", verdict: "FAIL", saying: "dropped silently") {
            try $0.near.sysctl("net.ipv4.conf.wifi.rp_filter", "1")
            try $0.near.run("ip", "rule", "del", "priority", "102")
        },
        Fault(name: "no subflows", check: "limits", verdict: "FAIL", saying: "the subflow limit is 0") {
            try $0.near.run("ip", "mptcp", "limits", "set", "subflow", "0")
        },
        Fault(
            name: "an endpoint is missing", check: "endpoints", verdict: "FAIL",
            saying: "wifi (10.0.2.1) has no endpoint"
        ) {
            try $0.near.run("ip", "mptcp", "endpoint", "delete", "id", "2")
        },
        Fault(name: "no endpoint at all", check: "endpoints", verdict: "FAIL", saying: "has no endpoint") {
            try $0.near.removeEndpoints()
        },
        Fault(name: "an endpoint without dev", check: "endpoints", verdict: "FAIL", saying: "names no interface") {
            try $0.near.run("ip", "mptcp", "endpoint", "delete", "id", "2")
            try $0.near.run("ip", "mptcp", "endpoint", "add", "10.0.2.1", "id", "2", "subflow")
        },
        Fault(
            name: "an endpoint on the wrong interface", check: "endpoints", verdict: "FAIL",
            saying: "by lte, but wifi has"
        ) {
            try $0.near.run("ip", "mptcp", "endpoint", "delete", "id", "2")
            try $0.near.run("ip", "mptcp", "endpoint", "add", "10.0.2.1", "id", "2", "dev", "lte", "subflow")
        },
        Fault(
            name: "an endpoint of an address that is gone", check: "endpoints", verdict: "FAIL", saying: "does not have"
        ) {
            try $0.near.run("ip", "mptcp", "endpoint", "add", "10.0.9.1", "dev", "wifi", "subflow")
        },
        Fault(name: "two endpoints on one link", check: "endpoints", verdict: "WARN", saying: "are the same link") {
            try $0.near.run("ip", "address", "add", "10.0.2.7/24", "dev", "wifi")
            try $0.near.run("ip", "mptcp", "endpoint", "add", "10.0.2.7", "dev", "wifi", "subflow")
            try $0.near.run("ip", "rule", "add", "from", "10.0.2.7", "table", "102", "priority", "102")
        },
        Fault(name: "one default route only", check: "routes", verdict: "FAIL", saying: "wifi has no default route") {
            try $0.near.run("ip", "rule", "del", "priority", "102")
            try $0.near.run("ip", "route", "del", "default", "dev", "wifi", "metric", "102")
            try $0.near.run("ip", "route", "flush", "table", "102")
        },
        Fault(name: "no rule for a link", check: "routes", verdict: "WARN", saying: "no rule for 10.0.2.1") {
            try $0.near.run("ip", "rule", "del", "priority", "102")
        },
        Fault(name: "a tiny MTU", check: "mtu", verdict: "WARN", saying: "wifi passes packets of 1000 bytes") {
            // Below 1280 the kernel takes IPv6 away, and the routes with it.
            try $0.near.run("ip", "link", "set", "dev", "wifi", "mtu", "1000")
        },
        Fault(name: "a rule strips the option", check: "firewall", verdict: "FAIL", saying: "removes the MPTCP option")
        {
            try $0.near.run(
                ["nft", "-f", "-"],
                input: """
                    table inet box {
                        chain out {
                            type filter hook output priority mangle;
                            reset tcp option 30;
                        }
                    }
                    """)
        },
        Fault(name: "a rule drops SYNs with the option", check: "firewall", verdict: "FAIL", saying: "drops packets") {
            try $0.near.run(
                ["nft", "-f", "-"],
                input: """
                    table ip box {
                        chain out {
                            type filter hook output priority 0;
                            tcp flags & (syn | ack) == syn tcp option 30 exists drop;
                        }
                    }
                    """)
        },
        Fault(name: "a private address is announced", check: "nat", verdict: "WARN", saying: "10.0.2.1 is announced") {
            try $0.near.run("ip", "mptcp", "endpoint", "delete", "id", "2")
            try $0.near.run("ip", "mptcp", "endpoint", "add", "10.0.2.1", "id", "2", "dev", "wifi", "subflow", "signal")
        },
        Fault(name: "mptcpd runs", check: "managers", verdict: "WARN", saying: "mptcpd") { host in
            let process = try host.near.spawn(
                ["bash", "-c", "printf mptcpd >/proc/$$/comm; echo named; read -r _"], input: true)
            try await process.line(containing: "named")
            host.planted.withLock { $0 = process }
        },
    ]
}

extension DoctorSuite {
    /// Each fault alone: found under the right name, and gone once the printed command was run.
    @Suite(.serialized)
    struct FaultTests {
        @Test("a healthy host with two links is all PASS")
        func healthy() async throws {
            try await TwoLinks.with { host in
                let output = try host.near.doctor()
                #expect(output.complaints.map(\.found) == [], "\(output.text)")
                #expect(output.status == .exited(0))
                #expect(output.summary.hasSuffix(" passed, 0 warned, 0 failed"))
                #expect(output.lines.allSatisfy { $0.remedies.isEmpty })
                #expect(Set(output.lines.map(\.check)).count == output.lines.count)
            }
        }

        @Test("found, named, and mended by copy and paste", arguments: Fault.all)
        func fault(_ fault: Fault) async throws {
            try await TwoLinks.with { host in
                try await fault.plant(host)
                let before = try host.near.doctor()
                let named = before.lines(fault.check).filter { $0.verdict == fault.verdict }
                try #require(!named.isEmpty, "\(before.text)")
                #expect(named.contains { $0.found.contains(fault.saying) }, "\(before.text)")
                #expect(named.allSatisfy { !$0.fixes.isEmpty }, "\(before.text)")
                #expect((before.status == .exited(1)) == before.lines.contains { $0.verdict == "FAIL" })

                for line in before.complaints {
                    for fix in line.fixes { try host.near.run("sh", "-c", fix) }
                }
                // What was told to end takes its time.
                if let planted = host.planted.withLock({ $0 }) { try await planted.finish() }
                let after = try host.near.doctor()
                #expect(after.complaints.map(\.found) == [], "\(before.text)\nafter:\n\(after.text)")
                #expect(after.status == .exited(0))
            }
        }
    }
}
