import BookPages
import FoundationEssentials
import Lab

/// The hosts that the pages of `docs` speak of, as docs/README.md describes them: near and far with the links `lte` and `wifi`
/// between them, and `lan` behind near.
struct BookLab {
    let near: BookHost
    let far: BookHost
    let lan: BookHost

    /// Makes the hosts, a web server and ssh on far among them.
    init(in lab: Lab) async throws {
        let near = try lab.host("near", forwards: true)
        let far = try lab.host("far")
        let lan = try lab.host("lan")
        for name in ["lte", "wifi"] {
            try near.uplink(try lab.link(near, far, name: name, rate: .mbit(50), delay: .milliseconds(10)))
        }
        let inside = try lab.cable(lan, near, name: "lan0")
        try lan.run("ip", "route", "add", "default", "via", inside.address(of: near))
        try lan.run("ip", "-6", "route", "add", "default", "via", inside.address6(of: near))
        for host in [near, far] { try host.sysctl("net.mptcp.blackhole_timeout", "0") }
        self.near = try await BookHost(near, configuration: "near.toml")
        self.far = try await BookHost(far, configuration: "far.toml")
        self.lan = try await BookHost(lan, configuration: nil)
        try await self.far.serve(to: self.near)
    }

    func host(_ name: String) -> BookHost? { [near, far, lan].first { $0.host.name == name } }

    /// Runs the daemons of near and far with what is in their configurations now.
    func startDaemons() async throws {
        try await far.startDaemon()
        try await near.startDaemon()
    }
}

/// A host of the book: with `/etc` and `/run` of its own, so that pages may say `/etc/braid/braid.toml`.
final class BookHost {
    let host: Host
    private let directory: TemporaryDirectory
    private let holder: HostProcess
    private var daemon: HostProcess?
    private var isConfigured = false

    /// - Parameter configuration: The file of `Config` that it begins with.
    init(_ host: Host, configuration: String?) async throws {
        self.host = host
        directory = try TemporaryDirectory()
        holder = try host.spawn(
            ["unshare", "--mount", "--propagation", "private", "sh", "-ec", Self.mounts, "sh", directory.path])
        try await holder.line(containing: "ready")
        if let configuration {
            let file = URL(fileURLWithPath: BookPage.directory).deletingLastPathComponent()
                .appendingPathComponent("Config/\(configuration)").path
            try write(try String(contentsOfFile: file, encoding: .utf8))
        }
    }

    private static let mounts = """
        mount -t tmpfs book "$1"
        mkdir "$1/upper" "$1/work"
        mount -t overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" book /etc
        mount -t tmpfs book /run
        mkdir -p /etc/braid /etc/sysctl.d /etc/ssh/ssh_config.d /run/braid
        echo '10.0.1.2 far gateway.example.net' >> /etc/hosts
        echo ready
        exec sleep infinity
        """

    /// A command that runs a script within.
    private func within(_ script: String) -> [String] {
        ["nsenter", "--mount=/proc/\(holder.pid)/ns/mnt", "--", "bash", "-eo", "pipefail", "-c", script]
    }

    private var environment: [String: String] {
        let program = URL(fileURLWithPath: BraidProgram.path).deletingLastPathComponent().path
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return ["PATH": "\(program):\(path):/usr/sbin:/sbin", "HOME": "/etc/braid"]
    }

    /// Runs the lines of a script, up to the first that fails.
    func run(_ script: String) throws -> CommandOutput {
        try host.run(within(script), environment: environment, expecting: nil, timeout: .seconds(60))
    }

    /// Starts what goes on, and waits until it says so.
    func begin(_ script: String) async throws {
        let process = try host.spawn(within(script), environment: environment)
        guard script.contains("braid run") else {
            _ = try await process.line(containing: "")
            return
        }
        try await process.line(containing: "event=daemon-ready")
        let old = daemon
        daemon = process
        if script.contains("--takeover"), let old {
            // It has given its listeners away, and ends when its connections have.
            _ = try await old.finish()
        }
    }

    /// Writes `/etc/braid/braid.toml`.
    func write(_ configuration: String) throws {
        let output = try host.run(within("cat > /etc/braid/braid.toml"), input: configuration, expecting: nil)
        guard output.status == .exited(0) else {
            throw LabError("write the configuration", detail: output.standardError)
        }
        isConfigured = false
    }

    /// Starts the daemon, or a new one if there is another configuration.
    func startDaemon() async throws {
        guard !isConfigured else { return }
        isConfigured = true
        if let old = daemon {
            try old.signal(15)
            _ = try await old.finish()
            daemon = nil
        }
        try await begin("exec braid run")
    }

    /// What the daemon said last.
    var log: String { daemon?.lines.suffix(15).joined(separator: "\n") ?? "" }

    /// Begins a web server, and an sshd that lets root of the other host in.
    func serve(to other: BookHost) async throws {
        let server = """
            import http.server, socket
            class Server(http.server.ThreadingHTTPServer):
                address_family = socket.AF_INET6
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200); self.end_headers(); self.wfile.write(b'hello from far\\n')
                def log_message(self, *words): pass
            Server(('::', 80), Handler).serve_forever()
            """
        let web = try host.spawn(["python3", "-uc", server])
        let keys = try run(
            """
            ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/book_host
            ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/book_user
            cat /etc/ssh/book_host.pub; cat /etc/ssh/book_user
            """)
        guard keys.status == .exited(0), let end = keys.standardOutput.firstIndex(of: "\n") else {
            throw LabError("make keys for ssh", detail: keys.standardError)
        }
        let user = keys.standardOutput[keys.standardOutput.index(after: end)...]
        let there = try other.host.run(
            other.within(
                """
                umask 077; cat > /etc/ssh/book_user
                echo '[far]:2222 \(keys.standardOutput[..<end])' > /etc/ssh/book_known
                printf 'Host far\\n Port 2222\\n User root\\n IdentityFile /etc/ssh/book_user\\n' > /etc/ssh/ssh_config.d/book.conf
                echo ' UserKnownHostsFile /etc/ssh/book_known' >> /etc/ssh/ssh_config.d/book.conf
                """), input: String(user), expecting: nil)
        guard there.status == .exited(0) else { throw LabError("tell ssh its keys", detail: there.standardError) }
        // In a user namespace in which it is its only user, as in SecureShellServer.
        let ssh = try host.spawn(
            ["nsenter", "--mount=/proc/\(holder.pid)/ns/mnt", "--", "unshare", "--mount", "sh", "-ec", Self.sshd],
            environment: environment)
        try await host.waitForListener(port: 80, of: web)
        try await host.waitForListener(port: 2222, of: ssh)
    }

    private static let sshd = """
        printf 'root:x:1000:1000::/etc/braid:/bin/sh\\nsshd:x:104:65534::/nonexistent:/usr/sbin/nologin\\n' > /run/passwd
        echo root:x:1000: > /run/group
        mount --bind /run/passwd /etc/passwd
        mount --bind /run/group /etc/group
        exec unshare --user --map-user=1000 --map-group=1000 /usr/sbin/sshd -D -e -f /dev/null -o Port=2222 \\
            -o HostKey=/etc/ssh/book_host -o AuthorizedKeysFile=/etc/ssh/book_user.pub -o PidFile=none \\
            -o StrictModes=no -o UsePAM=no -o PasswordAuthentication=no -o "Subsystem=sftp internal-sftp"
        """
}
