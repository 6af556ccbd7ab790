import Glibc
import Lab

/// A dnsmasq in a host of the lab, whose records a test changes.
final class NameService: Sendable {
    private let host: Host
    private let directory: TemporaryDirectory
    private let process: Slot

    private final class Slot: @unchecked Sendable {
        // Tests use it one after the other.
        var value: HostProcess?
    }

    /// Starts it on 127.0.0.1 of a host.
    ///
    /// - Parameter records: dnsmasq's own options, as `--host-record=a.test,192.0.2.1,1`.
    init(in host: Host, _ records: [String]) async throws {
        self.host = host
        directory = try TemporaryDirectory()
        process = Slot()
        _ = try directory.write("nameserver 127.0.0.1\noptions timeout:1\n", to: "resolv.conf")
        try await set(records)
    }

    /// A command that runs a program with this server as its only one, by a mount namespace of its own.
    var prefix: [String] {
        [
            "unshare", "-m", "--propagation", "private", "sh", "-c",
            "mount --bind \(directory.file("resolv.conf")) /etc/resolv.conf && exec \"$@\"", "sh",
        ]
    }

    /// Ends the server.
    func stop() async throws {
        guard let running = process.value else { return }
        process.value = nil
        try running.signal(SIGKILL)
        _ = try await running.finish()
    }

    /// Replaces all records.
    func set(_ records: [String]) async throws {
        try await stop()
        let started = try host.spawn(
            [
                "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces",
                "--listen-address=127.0.0.1", "--port=53", "--local=/test/", "--pid-file=", "--user=root",
                "--local-ttl=1",
            ] + records)
        process.value = started
        try await started.line(containing: "started, version")
    }
}
