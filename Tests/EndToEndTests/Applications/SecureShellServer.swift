import Lab

/// An sshd of a test's own on the far host's loopback, with its own keys and its own only user, "tester".
///
/// It runs in a user namespace in which it is that user, so it neither changes user nor needs `/run/sshd`, and the
/// machine's accounts do not matter.
struct SecureShellServer {
    /// Options of ssh and scp: its key is known, and so is ours.
    let clientOptions: [String]
    /// Who logs in where.
    let destination = "tester@127.0.0.1"

    static func start(_ ends: TwoEnds, port: UInt16) async throws -> SecureShellServer {
        let own = ends.directory
        let keygen = try Application.sshKeygen.path
        for key in ["host", "user"] {
            try ends.far.run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", own.file(key))
        }
        let hostKey = try ends.far.run("cat", own.file("host.pub")).standardOutput
        let known = try own.write("[127.0.0.1]:\(port) \(hostKey)", to: "known_hosts")
        let settings = try own.write(
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(own.file("host"))
            AuthorizedKeysFile \(own.file("user.pub"))
            PidFile none
            UsePAM no
            PasswordAuthentication no
            StrictModes no
            Subsystem sftp internal-sftp

            """, to: "sshd_config")
        let users = try own.write(
            """
            tester:x:1000:1000::\(own.path):/bin/sh
            sshd:x:104:65534::/nonexistent:/usr/sbin/nologin

            """, to: "passwd")
        let groups = try own.write("tester:x:1000:\n", to: "group")
        let script = """
            mount --bind \(users) /etc/passwd && mount --bind \(groups) /etc/group &&
            exec unshare --user --map-user=1000 --map-group=1000 \(try Application.sshd.path) -D -e -f \(settings)
            """
        let process = try ends.far.spawn(["unshare", "--mount", "sh", "-c", script])
        try await ends.far.waitForListener(port: port, of: process)
        return SecureShellServer(clientOptions: [
            "-F", "none", "-i", own.file("user"), "-o", "UserKnownHostsFile=\(known)", "-o",
            "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes",
        ])
    }
}
