import Foundation

/// Clients by the thousand inside a machine, and the server that they talk to: `Tests/Crowd`.
struct Crowd {
    /// The program, beside the test bundle.
    static let binary = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("braid-crowd").path

    /// What became of them all.
    struct Result: Decodable, CustomStringConvertible {
        /// From the moment when all long connections stood to the end.
        let seconds: Double
        /// Short connections: begun, and served in whole.
        let started: Int
        let done: Int
        /// Connections that failed, by how. `late`: no answer in time; `wrong`: other bytes than were sent.
        let refused: Int
        let reset: Int
        let ended: Int
        let late: Int
        let wrong: Int
        let other: Int
        /// Long connections, what they exchanged in all, and how often one of them ended under way.
        let long: Int
        let longExchanges: Int
        let longReset: Int
        let longEnded: Int
        let longOther: Int
        let bytes: Int
        /// How long short connections took, from the first packet to the answer.
        let p50Us: Int
        let p99Us: Int
        let maxUs: Int
        /// The longest that the crowd itself did not come to look.
        let ownGapUs: Int

        /// Connections of any kind that were not served.
        var failed: Int { refused + reset + ended + late + wrong + other }
        /// Long ones that did not go on.
        var longBroken: Int { longReset + longEnded + longOther }

        var description: String {
            """
            \(started) short in \(Int(seconds)) s, \(done) served (p50 \(p50Us) us, p99 \(p99Us) us, max \(maxUs) us), \
            refused \(refused), reset \(reset), ended \(ended), late \(late), wrong \(wrong), other \(other); \(long) long, \
            \(longExchanges) exchanges, \(bytes >> 20) MiB compared, broken \(longBroken); own gap \(ownGapUs) us
            """
        }
    }

    private let machine: SystemdMachine
    private let name: String
    private var file: String { "/run/\(name).result" }

    /// Starts the server, for as long as the machine runs.
    static func serve(_ machine: SystemdMachine, ports: [Int]) throws {
        let words = ports.map(String.init).joined(separator: " ")
        try machine.script(
            """
            systemd-run --quiet --unit=crowd-server --service-type=exec braid-crowd serve \(words)
            for port in \(words); do
                for _ in $(seq 100); do (: 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null && break; sleep 0.05; done
            done
            """)
    }

    /// Starts clients, and waits until all long connections stand.
    ///
    /// - Parameters:
    ///   - rate: short connections a second.
    ///   - long: connections that exchange a little now and then.
    ///   - heavy: connections that exchange much.
    ///   - patience: seconds that an answer may take.
    ///   - prefix: a command that runs it: `ip netns exec NAME`.
    init(
        _ machine: SystemdMachine, to targets: [String], rate: Int, long: Int, heavy: Int = 0, patience: Int = 30,
        prefix: String = ""
    ) throws {
        self.machine = machine
        name = "crowd-\(UUID().uuidString)"
        try machine.script(
            """
            systemd-run --quiet --unit=\(name) --service-type=exec --property=LimitNOFILE=20000 \
                \(prefix) /usr/bin/braid-crowd load \(file) \(rate) \(long) \(heavy) \(patience) \
                \(targets.joined(separator: " "))
            until grep -q begin \(file) 2>/dev/null; do
                systemctl is-active --quiet \(name) || { journalctl --no-pager -u \(name) >&2; exit 1; }
                sleep 0.05
            done
            """, seconds: 60)
    }

    /// Begins no connection any more, lets those that are open finish, and answers what became of all.
    func finish() throws -> Result {
        let line = try machine.script(
            """
            systemctl kill --signal=TERM \(name)
            until grep -q '^{' \(file); do
                systemctl is-active --quiet \(name) || { sleep 0.5; grep -q '^{' \(file) && break; exit 1; }
                sleep 0.05
            done
            grep '^{' \(file)
            """, seconds: 90)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Result.self, from: Data(line.utf8))
    }
}
