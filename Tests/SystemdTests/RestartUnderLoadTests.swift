import Foundation
import ServiceManager
import Testing

/// Reload, takeover and restart under 500 new connections a second and 1,000 long ones: nobody is refused or reset whom the
/// change does not concern. The full counts with `BRAID_SOAK=1`.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(if: Braid.obstacle == nil, Comment(rawValue: Braid.obstacle ?? "")))
struct RestartUnderLoadTests {
    private static let soak = ProcessInfo.processInfo.environment["BRAID_SOAK"] == "1"
    private static let rate = 500
    private static let long = 1000
    private static let heavy = 4

    /// Near and far end in one process, and a relay that comes and goes.
    private static func chain(_ port: Int, _ other: String) -> String {
        """
        [daemon]
        log-connections = false
        [[relay]]
        name = "near"
        listen = "tcp://127.0.0.1:7001"
        upstream = "mptcp://127.0.0.1:7002"
        connect-timeout = "\(port - 8990)s"
        [[relay]]
        name = "far"
        listen = "mptcp://127.0.0.1:7002"
        upstream = "tcp://127.0.0.1:\(port)"
        [[relay]]
        name = "\(other)"
        listen = "mptcp://127.0.0.1:\(port - 1000)"
        upstream = "echo://"

        """
    }
    private static let targets = ["tcp:127.0.0.1:7001", "mptcp:127.0.0.1:7002"]

    private func crowd(_ machine: SystemdMachine, to targets: [String]) throws -> Crowd {
        try Crowd(machine, to: targets, rate: Self.rate, long: Self.long, heavy: Self.heavy)
    }

    /// Everybody was served, and at the rate that was meant.
    private func expectAllServed(_ result: Crowd.Result, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(result.failed == 0, "\(result)", sourceLocation: sourceLocation)
        #expect(result.done == result.started, "\(result)", sourceLocation: sourceLocation)
        #expect(
            Double(result.started) > 0.95 * Double(Self.rate) * (result.seconds - 3), sourceLocation: sourceLocation)
        #expect(result.long == Self.long + Self.heavy, "\(result)", sourceLocation: sourceLocation)
    }

    private func expectNoneBroken(_ result: Crowd.Result, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(result.longBroken == 0, "\(result)", sourceLocation: sourceLocation)
        #expect(result.longExchanges > result.long, "\(result)", sourceLocation: sourceLocation)
    }

    @Test func `reloads disturb nobody, beside those of HAProxy`() throws {
        let count = Self.soak ? 100 : 20
        let machine = try Braid.machine(
            Self.chain(9001, "one"), program: Braid.fastBinary,
            files: [
                "/etc/braid/0.toml": Self.chain(9001, "one"), "/etc/braid/1.toml": Self.chain(9002, "two"),
                "/etc/haproxy/0.cfg": Self.haproxy(9001), "/etc/haproxy/1.cfg": Self.haproxy(9002),
            ])
        try Crowd.serve(machine, ports: [9001, 9002])
        try machine.check("systemctl", "start", "braid")
        let braid = try crowd(machine, to: Self.targets)
        try machine.script(
            """
            for number in $(seq \(count)); do
                cp /etc/braid/$((number % 2)).toml /etc/braid/next
                mv /etc/braid/next /etc/braid/braid.toml
                systemctl reload braid
                sleep 0.2
            done
            """, seconds: 120)
        let result = try braid.finish()
        print("\(count) reloads: braid: \(result)")
        expectAllServed(result)
        expectNoneBroken(result)
        let reloads = try machine.waitForJournal(
            "MESSAGE_ID=" + EventKind.configurationReloaded.messageID, count: count)
        #expect(reloads.count == count)
        #expect(try machine.property("NRestarts", of: "braid") == "0")
        try machine.check("systemctl", "stop", "braid")

        // What it does under the same load is measured, not promised.
        guard Command.path(of: "haproxy") != nil else { return }
        try machine.script(
            """
            cp /etc/haproxy/0.cfg /etc/haproxy/haproxy.cfg
            systemd-run --quiet --unit=haproxy-here --service-type=exec --property=LimitNOFILE=20000 \
                /usr/sbin/haproxy -W -f /etc/haproxy/haproxy.cfg
            for _ in $(seq 100); do (: 3<>/dev/tcp/127.0.0.1/7101) 2>/dev/null && exit 0; sleep 0.05; done
            journalctl --no-pager -u haproxy-here >&2; exit 1
            """)
        let theirs = try crowd(machine, to: ["tcp:127.0.0.1:7101"])
        try machine.script(
            """
            for number in $(seq \(count)); do
                cp /etc/haproxy/$((number % 2)).cfg /etc/haproxy/haproxy.cfg
                systemctl kill --kill-whom=main --signal=SIGUSR2 haproxy-here
                sleep 0.2
            done
            """, seconds: 120)
        let beside = try theirs.finish()
        let workers = try machine.script(
            "journalctl --sync; journalctl --no-pager -u haproxy-here | grep -c 'New worker' || true"
        ).trimmingCharacters(in: .whitespacesAndNewlines)
        print("\(count) reloads, \(workers) workers: haproxy: \(beside)")
    }

    private static func haproxy(_ port: Int) -> String {
        """
        global
            maxconn 4000
            stats socket /run/haproxy-here.sock mode 600 level admin expose-fd listeners
        defaults
            mode tcp
            timeout connect 5s
            timeout client 1h
            timeout server 1h
            option splice-auto
        frontend near
            bind 127.0.0.1:7101 backlog 4096
            default_backend far
        backend far
            server one 127.0.0.1:\(port)

        """
    }

    @Test(arguments: SystemdSystem.all)
    func `takeovers disturb nobody`(system: SystemdSystem) throws {
        let count = Self.soak ? 10 : 3
        let machine = try Braid.machine(Self.chain(9001, "one"), on: system, program: Braid.fastBinary)
        try Crowd.serve(machine, ports: [9001, 9002])
        try machine.check("systemctl", "start", "braid")
        let crowd = try crowd(machine, to: Self.targets)
        var processes: Set = [try machine.property("MainPID", of: "braid")]
        for _ in 0..<count {
            // Each process serves for a second at least.
            try machine.script("/usr/lib/braid/hand-over; sleep 1")
            processes.insert(try machine.property("MainPID", of: "braid"))
        }
        let result = try crowd.finish()
        print("\(count) takeovers on \(system.name): \(result)")
        expectAllServed(result)
        expectNoneBroken(result)
        #expect(processes.count == count + 1)
        #expect(try machine.property("NRestarts", of: "braid") == "0")
    }

    @Test func `restarts refuse nobody: clients wait, and only what is open at the end of the drain is reset`() throws {
        let count = Self.soak ? 20 : 5
        let machine = try Braid.machine(
            """
            [daemon]
            drain-timeout = "1s"
            log-connections = false
            [[relay]]
            name = "tcp"
            listen = "tcp://127.0.0.1:7001"
            upstream = "tcp://127.0.0.1:9001"
            [[relay]]
            name = "mptcp"
            listen = "mptcp://127.0.0.1:7002"
            upstream = "tcp://127.0.0.1:9001"
            """, program: Braid.fastBinary)
        try Crowd.serve(machine, ports: [9001])
        try machine.check("systemctl", "start", "braid")
        let crowd = try crowd(machine, to: Self.targets)
        for _ in 0..<count {
            // Not the ten starts in two minutes that systemd allows by the unit.
            try machine.script("systemctl reset-failed braid; systemctl restart braid")
            // Until the long ones are there again: the next restart is to meet them.
            try machine.waitFor("StatusText", of: "braid") { text in
                text.split(separator: " ").compactMap { Int($0) }.last ?? 0 >= Self.long
            }
        }
        let result = try crowd.finish()
        print("\(count) restarts: \(result)")
        expectAllServed(result)
        // Each long one is reset at most once by each restart, and let in again at once by the next process.
        #expect(result.longBroken <= count * result.long, "\(result)")
        #expect(result.longBroken >= count * Self.long / 2, "\(result)")
        #expect(try machine.property("NRestarts", of: "braid") == "0")
    }

    // MARK: Joins

    /// A client with two addresses, of which MPTCP uses one until the other becomes an endpoint.
    private static let network = """
        sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
        ip address add 10.9.0.1/32 dev lo
        ip netns add client
        for number in 1 2; do
            ip link add s$number type veth peer name c$number netns client
            ip address add 10.$number.0.1/24 dev s$number
            ip link set s$number up
            ip -n client address add 10.$number.0.2/24 dev c$number
            ip -n client link set c$number up
        done
        ip -n client link set lo up
        ip -n client route add default via 10.1.0.1 dev c1
        ip -n client route add default via 10.2.0.1 dev c2 table 2
        ip -n client rule add from 10.2.0.2 table 2
        ip mptcp limits set subflow 4 add_addr_accepted 4
        ip -n client mptcp limits set subflow 4 add_addr_accepted 4
        """

    /// Waits until so many subflows have joined since the machine began.
    private func waitForJoins(_ machine: SystemdMachine, _ count: Int) throws {
        try machine.script(
            """
            for _ in $(seq 200); do
                joins=$(nstat -asz MPTcpExtMPJoinAckRx | awk '/MPJoinAckRx/ { print $2 }')
                [ "$joins" -ge \(count) ] && exit 0
                sleep 0.05
            done
            echo "$joins of \(count) joins" >&2; exit 1
            """)
    }

    @Test(arguments: SystemdSystem.all)
    func `subflows join over restarts and takeovers`(system: SystemdSystem) throws {
        let machine = try Braid.machine(
            """
            [daemon]
            drain-timeout = "25s"
            [[relay]]
            name = "far"
            listen = "mptcp://*:7002"
            upstream = "echo://"
            """, on: system, program: Braid.fastBinary)
        try machine.script(Self.network)
        try machine.check("systemctl", "start", "braid")
        let endpoint = "10.2.0.2 dev c2 subflow"
        func client() throws -> Crowd {
            try Crowd(
                machine, to: ["mptcp:10.9.0.1:7002"], rate: 0, long: 2,
                prefix: "nsenter --net=/run/netns/client")
        }
        func expectGood(_ result: Crowd.Result) {
            #expect(result.failed == 0 && result.longBroken == 0 && result.long == 2, "\(result)")
        }
        // Connections that the old process has accepted, after it has handed over.
        let early = try client()
        try machine.check("/usr/lib/braid/hand-over")
        try machine.script("ip -n client mptcp endpoint add \(endpoint)")
        try waitForJoins(machine, 2)
        // And such that the new one accepts.
        let late = try client()
        try waitForJoins(machine, 4)
        expectGood(try early.finish())
        expectGood(try late.finish())
        // While a process drains for a restart, and after it.
        try machine.script("ip -n client mptcp endpoint flush")
        let drained = try client()
        try machine.check("systemctl", "restart", "--no-block", "braid")
        try machine.waitFor("StatusText", of: "braid") { $0.hasPrefix("stopping: ") }
        try machine.script("ip -n client mptcp endpoint add \(endpoint)")
        try waitForJoins(machine, 6)
        expectGood(try drained.finish())
        try machine.waitFor("StatusText", of: "braid") { $0.hasPrefix("1 relay") }
        let after = try client()
        try waitForJoins(machine, 8)
        expectGood(try after.finish())
    }
}
