import Foundation
import KernelFiles

/// A machine with real systemd as its first process: systemd-nspawn over an overlay of this host's own root.
///
/// It has its own journal, cgroup, network (loopback only), mounts and processes; nothing of it is left on the host.
/// Booting takes about half a second. Needs real root, and systemd-container; see ``obstacle``.
final class SystemdMachine {
    struct BootFailure: Error, CustomStringConvertible {
        let description: String
    }

    /// Why there can be no machine here, or nil when there can.
    static let obstacle: String? = {
        if geteuid() != 0 { return "a systemd machine needs root" }
        let map = KernelFile.text("/proc/self/uid_map") ?? ""
        if !map.contains("4294967295") { return "a systemd machine needs root of the host, not of a user namespace" }
        for program in ["systemd-nspawn", "systemd-id128", "unshare", "nsenter", "timeout"]
        where Command.path(of: program) == nil {
            return "a systemd machine needs \(program) (Debian: systemd-container, util-linux, coreutils)"
        }
        if Cgroup.root == nil { return "a systemd machine needs the unified cgroup hierarchy mounted" }
        return nil
    }()

    /// What a machine has beyond the host's root.
    struct Setup {
        /// The tree that the machine's root is a layer over: the host's own, or that of another system.
        var root = "/"
        /// Contents of files by their absolute path.
        var files: [String: String] = [:]
        /// Files or directories of the host by the absolute path where the machine sees them, read-only.
        var binds: [String: String] = [:]
        /// Variables of commands that are run inside, besides the usual ones.
        var environment: [String: String] = [:]
    }

    private let nspawn: ChildProcess
    private let cgroup: Cgroup
    private let directory: String
    private let environment: [String]
    /// The machine's first process, as the host numbers it.
    let leader: Int32

    /// What it has on the host as long as it is there: its directory, and its control group.
    var traces: [String] { [directory, cgroup.path] }

    /// Boots a machine and waits until its start is finished.
    init(_ setup: Setup = Setup()) throws {
        var template = Array("/tmp/braid-machine-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        environment = setup.environment.map { "\($0.key)=\($0.value)" }
        cgroup = try Cgroup(named: (directory as NSString).lastPathComponent)
        do {
            for (path, text) in setup.files {
                let file = directory + "/files" + path
                try FileManager.default.createDirectory(
                    atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try text.write(toFile: file, atomically: false, encoding: .utf8)
            }
            (nspawn, leader) = try Self.boot(setup, directory, cgroup)
        } catch {
            cgroup.remove()
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
    }

    deinit {
        // The first process takes all others with it, and then nspawn ends and the mounts go.
        kill(leader, SIGKILL)
        _ = nspawn.wait()
        cgroup.remove()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Prepares the root in a mount namespace of its own, which ends with nspawn, and becomes nspawn.
    private static let script = """
        set -e
        directory=$1 cgroup=$2 lower=$3
        shift 3
        # Should the tests be killed, their end of standard input closes: then nothing stays behind either.
        exec 3<&0
        (
            set +e
            read -r _ <&3
            echo 1 > "$cgroup/cgroup.kill"
            umount -R -l "$directory/machine"
            rm -rf "$directory"
            while [ -d "$cgroup" ] && ! find "$cgroup" -depth -type d -exec rmdir {} +; do sleep 0.1; done
        ) 2> /dev/null &
        echo $$ > "$cgroup/cgroup.procs"
        mkdir "$directory/machine"
        mount -t tmpfs -o mode=755 braid-machine "$directory/machine"
        cd "$directory/machine"
        mkdir upper work root
        mount -t overlay -o "lowerdir=$lower,upperdir=upper,workdir=work" braid-machine root
        systemd-id128 new > root/etc/machine-id
        rm -f root/usr/sbin/policy-rc.d
        if [ -d "$directory/files" ]; then cp -r "$directory/files/." root/; fi
        exec systemd-nspawn "$@" -D root --boot --notify-ready=yes --quiet --register=no --keep-unit --settings=no \
            --private-network --console=read-only --link-journal=no --resolv-conf=off --timezone=off \
            --capability=CAP_IPC_LOCK,CAP_BPF "--system-call-filter=bpf @memlock" -- systemd.unit=basic.target < /dev/null 3<&-
        """

    private static func boot(
        _ setup: Setup, _ directory: String, _ cgroup: Cgroup
    ) throws -> (nspawn: ChildProcess, leader: Int32) {
        let notifications = try NotifySocket(path: directory + "/notify")
        let console = directory + "/console"
        try Data().write(to: URL(fileURLWithPath: console))
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: console))
        let arguments =
            [
                "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", directory, cgroup.path,
                setup.root,
            ]
            + ["--machine=" + (directory as NSString).lastPathComponent]
            + setup.binds.map { "--bind-ro=\($0.value):\($0.key)" }
        let nspawn = try ChildProcess(
            ["/usr/bin/env"] + arguments,
            environment: Command.environment.merging([
                "NOTIFY_SOCKET": notifications.path, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
            ]) { $1 },
            output: output.fileDescriptor, errors: output.fileDescriptor, lifeline: true)

        let deadline = ContinuousClock.now + .seconds(60)
        var leader: Int32?
        while ContinuousClock.now < deadline, nspawn.isRunning {
            guard let message = notifications.next(milliseconds: 200) else { continue }
            leader = message["X_NSPAWN_LEADER_PID"].flatMap { Int32($0) } ?? leader
            if message["READY"] == "1", let leader { return (nspawn, leader) }
        }
        let log = (try? String(contentsOfFile: console, encoding: .utf8)) ?? ""
        throw BootFailure(description: "the machine did not boot; its console said:\n\(log)")
    }

    /// Runs a command inside to its end, or for `seconds` (then its status is 124).
    func run(_ arguments: String..., seconds: Int = 60) throws -> CommandResult {
        try Command.run(inside(arguments), seconds: seconds)
    }

    /// Runs a command inside that has to succeed.
    @discardableResult
    func check(_ arguments: String..., seconds: Int = 60) throws -> CommandResult {
        try Command.check(inside(arguments), seconds: seconds)
    }

    /// Runs a bash script inside that has to succeed, and answers what it printed.
    @discardableResult
    func script(_ text: String, seconds: Int = 60) throws -> String {
        try Command.check(inside(["bash", "-euo", "pipefail", "-c", text]), seconds: seconds).output
    }

    private func inside(_ arguments: [String]) -> [String] {
        ["nsenter", "--target", "\(leader)", "--all", "--", "env"] + environment + arguments
    }
}
