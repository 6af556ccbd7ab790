import Foundation
import Testing

/// The files of `systemd/` as systemd's own tools see them; needs no root.
@Suite(.enabled(if: Command.path(of: "systemd-analyze") != nil, "needs systemd-analyze"))
struct UnitFileTests {
    static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("systemd").path

    /// A directory with copies of the unit files by the name under which they are installed, in which the daemon is a
    /// program that is there.
    private final class Units {
        let path: String

        init(_ files: [String: String]) throws {
            path = NSTemporaryDirectory() + "braid-units-" + UUID().uuidString
            for (name, source) in files {
                let file = path + "/" + name
                try FileManager.default.createDirectory(
                    atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try String(contentsOfFile: UnitFileTests.sources + "/" + source, encoding: .utf8)
                    .replacing("/usr/bin/braid", with: "/bin/true")
                    .write(toFile: file, atomically: false, encoding: .utf8)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test(arguments: ["braid.service", "braid@home.service", "braid.socket"])
    func `systemd accepts every key`(unit: String) throws {
        let units = try Units([
            "braid.service": "braid.service", "braid@home.service": "braid@.service", "braid.socket": "braid.socket",
        ])
        let result = try Command.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", units.path + "/" + unit])
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        #expect(result.errors == "")
    }

    @Test func `the check sees a wrong key`() throws {
        let units = try Units(["braid.service": "braid.service"])
        let file = units.path + "/braid.service"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacing("WatchdogSec=", with: "WatchdogSecs=").write(
            toFile: file, atomically: false, encoding: .utf8)
        let result = try Command.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", file])
        #expect(result.status != 0)
    }

    @Test(arguments: [
        ("braid.service", false, 1.2), ("braid@.service", false, 1.2), ("braid.service", true, 1.6),
        ("braid@.service", true, 1.6),
    ])
    func `the service is exposed no more than it needs`(unit: String, managesPaths: Bool, limit: Double) throws {
        let name = unit.replacing("@.", with: "@home.")
        var files = [name: unit]
        if managesPaths { files[name + ".d/paths.conf"] = "braid-paths.conf" }
        let units = try Units(files)
        let result = try Command.run(["systemd-analyze", "security", "--offline=true", units.path + "/" + name])
        let line = try #require(result.lines.last { $0.contains("Overall exposure level") })
        let exposure = try #require(line.firstMatch(of: /: (\d+\.\d+)/).flatMap { Double($0.1) })
        #expect(exposure <= limit, "\(result.output)")
        // The drop-in does take effect: it grants the capability.
        #expect(result.output.contains("CAP_NET_ADMIN") && (exposure > 1.2) == managesPaths)
    }

    @Test func `the template differs from the service only in its names`() throws {
        let service = try String(contentsOfFile: Self.sources + "/braid.service", encoding: .utf8)
        let template = try String(contentsOfFile: Self.sources + "/braid@.service", encoding: .utf8)
        let named =
            template
            .replacing(" for /etc/braid/%i.toml", with: "").replacing(
                "/etc/braid/%i.toml", with: "/etc/braid/braid.toml"
            )
            .replacing("braid-%i", with: "braid")
        #expect(named == service)
    }

    @Test func `journalctl takes the message catalog`() throws {
        let root = NSTemporaryDirectory() + "braid-catalog-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        for directory in ["/usr/lib/systemd/catalog", "/var/lib/systemd/catalog"] {
            try FileManager.default.createDirectory(atPath: root + directory, withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(
            atPath: Self.sources + "/braid.catalog", toPath: root + "/usr/lib/systemd/catalog/braid.catalog")
        let update = try Command.check(["journalctl", "--root", root, "--update-catalog"])
        #expect(update.errors == "")
        let list = try Command.check(["journalctl", "--root", root, "--list-catalog"])
        let entries = try String(contentsOfFile: Self.sources + "/braid.catalog", encoding: .utf8)
            .split(separator: "\n").filter { $0.hasPrefix("-- ") }
        #expect(!entries.isEmpty && list.lines.count == entries.count)
        for entry in entries { #expect(list.output.contains(entry.dropFirst(3))) }
    }

    @Test func `sysctl settings are well-formed, and absent ones are skipped`() throws {
        let text = try String(contentsOfFile: Self.sources + "/sysctl.d/60-braid.conf", encoding: .utf8)
        let settings = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(!settings.isEmpty)
        for setting in settings {
            #expect(setting.wholeMatch(of: /-?[a-z_]+(\.[a-z_0-9]+)+ = -?\d+/) != nil, "\(setting)")
            // Whatever is about MPTCP may be missing from a kernel.
            #expect(!setting.contains("mptcp") || setting.hasPrefix("-"), "\(setting)")
        }
    }
}
