import Foundation
import KernelFiles

/// The daemon under test, and how it gets into a ``SystemdMachine``: with the unit file as shipped.
enum Braid {
    /// The program: `BRAID_BINARY`, else `braid` beside the test bundle.
    static let binary: String? = {
        let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("braid").path
        let path = ProcessInfo.processInfo.environment["BRAID_BINARY"] ?? beside
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()

    /// Why it cannot be tested here, or nil when it can.
    static let obstacle: String? =
        SystemdMachine.obstacle ?? (binary == nil ? "there is no braid to test: build it, or set BRAID_BINARY" : nil)

    /// The directory of the Swift runtime that the tests use; a debug build of the daemon needs it too.
    private static let runtime: String? = {
        let maps = KernelFile.text("/proc/self/maps") ?? ""
        let line = maps.split(separator: "\n").first { $0.hasSuffix("/libswiftCore.so") }
        return line?.split(separator: " ").last.map { ($0 as NSString).deletingLastPathComponent }
    }()

    /// The release build, as it is installed, when there is one (`make test` makes it first); else ``binary``.
    static let fastBinary: String? = {
        let path = DebianPackage.program
        return FileManager.default.isExecutableFile(atPath: path) ? path : binary
    }()

    /// A machine with the daemon installed, not started: its unit, the configuration, the message catalog.
    ///
    /// - Parameters:
    ///   - configuration: `/etc/braid/braid.toml`.
    ///   - system: whose systemd it is.
    ///   - program: the daemon.
    ///   - service: further lines for the unit's `[Service]` section.
    ///   - files: further files.
    static func machine(
        _ configuration: String, on system: SystemdSystem = .host, program: String? = binary, service: String = "",
        files: [String: String] = [:]
    ) throws -> SystemdMachine {
        var setup = SystemdMachine.Setup(root: system.root, files: files)
        func source(_ name: String) throws -> String {
            try String(contentsOfFile: UnitFileTests.sources + "/" + name, encoding: .utf8)
        }
        setup.files["/etc/braid/braid.toml"] = configuration
        setup.files["/etc/systemd/system/braid.service"] = try source("braid.service")
        setup.files["/usr/lib/systemd/catalog/braid.catalog"] = try source("braid.catalog")
        setup.binds["/usr/bin/braid"] = program
        setup.binds["/usr/bin/braid-crowd"] = Crowd.binary
        setup.binds["/usr/lib/braid/hand-over"] = UnitFileTests.sources + "/hand-over"
        var lines = "[Service]\n" + service + "\n"
        if let runtime {
            setup.binds["/usr/lib/braid-test"] = runtime
            setup.environment["LD_LIBRARY_PATH"] = "/usr/lib/braid-test"
            lines += "Environment=LD_LIBRARY_PATH=/usr/lib/braid-test\n"
        }
        setup.files["/etc/systemd/system/braid.service.d/test.conf"] = lines
        return try SystemdMachine(setup)
    }
}

/// A client inside a machine that holds one TCP connection, sends lines and reads what comes back.
struct MachineClient {
    let machine: SystemdMachine
    let name: String

    /// Connects to a port of the machine's loopback address.
    init(_ machine: SystemdMachine, port: Int) throws {
        self.machine = machine
        name = "client-\(UUID().uuidString)"
        try machine.script(
            """
            mkfifo /run/\(name).in /run/\(name).out
            systemd-run --quiet --collect --unit=\(name) --service-type=exec bash -c '
                trap "" PIPE
                exec 3<>/dev/tcp/127.0.0.1/\(port) 4<>/run/\(name).in
                while read -r line <&4; do
                    printf "%s\\n" "$line" >&3
                    read -r -t 30 back <&3 || back="(the end)"
                    printf "%s\\n" "$back" >/run/\(name).out
                done'
            """)
    }

    /// Sends a line and answers the line that comes back; `(the end)` when the connection ended or nothing comes.
    func say(_ text: String) throws -> String {
        try machine.script("printf '%s\\n' '\(text)' >/run/\(name).in; head -n 1 /run/\(name).out", seconds: 40)
            .trimmingCharacters(in: .newlines)
    }

    /// Closes the connection.
    func close() throws {
        try machine.check("systemctl", "stop", name)
    }
}
