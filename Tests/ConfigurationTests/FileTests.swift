import Configuration
import Foundation
import Testing

/// A directory with configuration files, removed in the end.
private struct Files: ~Copyable {
    let directory: String

    init(_ contents: [String: String]) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("braid-\(UUID().uuidString)").path
        for (name, text) in contents {
            let path = URL(fileURLWithPath: directory).appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: path, atomically: false, encoding: .utf8)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// The errors, with the directory's name taken out.
    func diagnose(_ name: String = "main.toml", environment: [String: String] = [:]) -> [String] {
        do {
            _ = try Settings.load(path: "\(directory)/\(name)", environment: environment)
            return []
        } catch {
            return error.diagnostics.map { $0.description.replacingOccurrences(of: "\(directory)/", with: "") }
        }
    }

    func load(environment: [String: String] = [:]) throws -> Settings {
        try Settings.load(path: "\(directory)/main.toml", environment: environment)
    }
}

private func relay(_ name: String, port: Int) -> String {
    "[[relay]]\nname = \"\(name)\"\nlisten = \"tcp://[::1]:\(port)\"\nupstream = \"echo://\"\n"
}

@Suite struct FileTests {
    @Test func includes_are_merged_in_name_order() throws {
        let files = try Files([
            "main.toml": "include = [\"conf.d/*.toml\", \"extra.toml\", \"conf.d/10-a.toml\"]\n[daemon]\nthreads = 2\n"
                + relay("main", port: 1),
            "conf.d/20-b.toml": relay("b", port: 2) + "[[paths.link]]\ninterface = \"eth1\"\n",
            "conf.d/10-a.toml": relay("a", port: 3)
                + "[daemon]\nlog-level = \"debug\"\n[[paths.link]]\ninterface = \"eth0\"\n",
            "conf.d/ignored.txt": "nonsense",
            "extra.toml": relay("extra", port: 4) + "[limits]\nconnections = 7\n",
        ])
        let settings = try files.load()
        #expect(settings.relays.map(\.name) == ["main", "a", "b", "extra"])
        #expect(settings.daemon.threads == .fixed(2))
        #expect(settings.daemon.logLevel == .debug)
        #expect(settings.limits.connections == 7)
        #expect(settings.paths.links.map(\.name) == ["eth0", "eth1"])
        #expect(settings.relays[1].listen[0].location.description == "\(files.directory)/conf.d/10-a.toml:3:10")
    }

    @Test func errors_name_the_right_file() throws {
        let files = try Files([
            "main.toml": "include = [\"conf.d/*.toml\", \"none.toml\", 1]\n[daemon]\nthreads = 2\nlog-level = \"x\"\n"
                + relay("r", port: 1),
            "conf.d/b.toml": "[daemon]\nthreads = 3\n[limits]\nconection = 1\n",
            "conf.d/a.toml": relay("r", port: 1) + "[admin\n",
        ])
        #expect(
            files.diagnose().map { $0.prefix(while: { $0 != ";" }) } == [
                "main.toml:1:29: error: 'include' names a file that does not exist: 'none.toml'",
                "main.toml:1:42: error: 'include' has an integer that is no pattern of files",
                "main.toml:4:13: error: 'log-level' cannot be \"x\"",
                "conf.d/a.toml:2:8: error: 'name' is \"r\", as is the relay at main.toml:6:8",
                "conf.d/a.toml:3:10: error: 'listen' has \"tcp://[::1]:1\", which main.toml:7:10 listens on already",
                "conf.d/a.toml:5:7: error: not valid TOML in table header: expected ']', saw '\\n'",
                "conf.d/b.toml:2:1: error: 'threads' in [daemon] is already set at main.toml:3",
                "conf.d/b.toml:4:1: error: unknown key 'conection' in [limits]",
            ])
    }

    @Test func includes_may_go_in_circles() throws {
        let files = try Files([
            "main.toml": "include = [\"*.toml\", \"./conf.d/../main.toml\"]\n" + relay("main", port: 1),
            "other.toml": "include = [\"main.toml\"]\n" + relay("other", port: 2),
            "conf.d/x": "",
        ])
        #expect(try files.load().relays.map(\.name) == ["main", "other"])
    }

    @Test func a_pattern_may_match_nothing() throws {
        let files = try Files(["main.toml": "include = [\"conf.d/*.toml\"]\n" + relay("main", port: 1)])
        #expect(try files.load().relays.count == 1)
    }

    @Test func a_file_that_cannot_be_read_is_told_with_the_reason() throws {
        let files = try Files(["main.toml": "include = [\"dir\"]\n", "dir/x": ""])
        #expect(
            files.diagnose("none.toml") == [
                "none.toml:1:1: error: the file cannot be read: No such file or directory; name a file that this user can read"
            ])
        #expect(
            files.diagnose("dir") == [
                "dir:1:1: error: the file cannot be read: Is a directory; name a file that this user can read"
            ])
        #expect(
            files.diagnose() == [
                "main.toml:1:12: error: 'dir' cannot be read: Is a directory; name a file that this user can read"
            ])
        #expect(
            files.diagnose("main.toml/x") == [
                "main.toml/x:1:1: error: the file cannot be read: Not a directory; name a file that this user can read"
            ])
    }

    @Test func an_endless_file_ends() {
        #expect(throws: ConfigurationError.self) { try Settings.load(path: "/dev/zero", environment: [:]) }
    }

    @Test func a_file_that_is_not_utf8_is_told() throws {
        let files = try Files([:])
        try FileManager.default.createDirectory(atPath: files.directory, withIntermediateDirectories: true)
        try Data([0x61, 0x20, 0x3D, 0x20, 0x22, 0xFF, 0x22]).write(
            to: URL(fileURLWithPath: "\(files.directory)/main.toml"))
        let errors = files.diagnose()
        #expect(
            errors.count == 1 && errors[0].hasPrefix("main.toml:1:5: error: ")
                && errors[0].hasSuffix("; save the file as UTF-8"), "\(errors)")
    }

    @Test func environment_is_put_into_strings() throws {
        let files = try Files([
            "main.toml":
                "include = [\"${SITE}/*.toml\"]\n[[relay]]\nname = \"$${x}$$\"\nlisten = \"tcp://${HOST}:${PORT}\"\nupstream = [\"unix://${DIRECTORY}/a-${HOST}.sock\"]\n",
            "home/a.toml": "[admin]\nsocket = \"/run/${SITE}.sock\"\n",
        ])
        let environment = ["SITE": "home", "HOST": "127.0.0.1", "PORT": "80", "DIRECTORY": "/run"]
        #expect(
            files.diagnose(environment: environment) == [
                "main.toml:3:8: error: 'name' is \"${x}$$\", which is no name; write 1 to 64 letters, digits, dots, underscores and hyphens"
            ])
        #expect(
            files.diagnose(environment: ["SITE": "home"]).map { $0.prefix { $0 != ";" } } == [
                "main.toml:3:8: error: 'name' is \"${x}$$\", which is no name",
                "main.toml:4:10: error: the environment variable HOST is not set",
                "main.toml:5:13: error: the environment variable DIRECTORY is not set",
            ])
    }

    @Test(arguments: [
        ("${", "is not closed"), ("a${B", "is not closed"), ("${}", "names no environment variable"),
        ("${A B}", "names no environment variable"), ("${1}", "names no environment variable"),
        ("${É}", "names no environment variable"),
    ])
    func malformed_references_are_told(text: String, part: String) {
        let errors = diagnose("[admin]\nsocket = \"\(text)\"")
        #expect(errors.count == 1 && errors[0].hasPrefix("f:2:10: error: ") && errors[0].contains(part), "\(errors)")
    }

    /// What the environment says stays inside its string.
    @Test func environment_is_no_toml() {
        let errors = diagnose("[admin]\nsocket = \"${X}\"", environment: ["X": "/a\"\n[daemon]\nfoo = \"${Y}"])
        #expect(errors == [])
        #expect(diagnose("[admin]\nsocket = \"${X}\"", environment: ["X": ""]).count == 1)
    }
}
