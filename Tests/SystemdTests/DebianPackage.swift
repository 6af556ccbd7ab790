import Foundation

/// The Debian package under test, and the bare systems to install it on.
enum DebianPackage {
    static let project = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// The program as it is installed: the release build that `make test` makes first.
    static let program = project + "/.build/release/braid"

    /// A bare Debian tree by its release's name.
    static func tree(_ release: String) -> String { "\(project)/.build/trees/\(release)" }

    /// Why it cannot be tested here, or nil when it can.
    static let obstacle: String? = {
        if let obstacle = SystemdMachine.obstacle { return obstacle }
        for program in ["dpkg-buildpackage", "dh", "lintian", "scdoc"] where Command.path(of: program) == nil {
            return "the package needs \(program): Scripts/install-packages test"
        }
        if !FileManager.default.isExecutableFile(atPath: program) { return "there is no release build: make release" }
        for release in ["bookworm", "trixie"]
        where !FileManager.default.fileExists(atPath: tree(release) + "/etc/debian_version") {
            return "there is no Debian tree: Scripts/test-trees"
        }
        return nil
    }()

    /// Where packages are built; what an earlier run left is replaced.
    private static let directory = project + "/.build/test-deb"

    /// The package's file, built once.
    static func path() throws -> String { try built.get() }

    private static let built = Result { () throws -> String in
        try? FileManager.default.removeItem(atPath: directory)
        let result = try Command.check([project + "/Scripts/deb", program, directory], seconds: 120)
        return String(result.lines.last ?? "")
    }

    /// The same package with a later version.
    ///
    /// - Parameters:
    ///   - suffix: what its version has besides.
    ///   - configuration: what its `/etc/braid/braid.toml` has besides.
    static func later(_ suffix: String, configuration: String = "") throws -> String {
        let tree = directory + "/" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: tree) }
        try Command.check(["dpkg-deb", "--raw-extract", path(), tree])
        let control = tree + "/DEBIAN/control"
        try String(contentsOfFile: control, encoding: .utf8)
            .replacing(/Version: (.*)/) { "Version: \($0.1)+\(suffix)" }
            .write(toFile: control, atomically: false, encoding: .utf8)
        let file = tree + "/etc/braid/braid.toml"
        try (String(contentsOfFile: file, encoding: .utf8) + configuration)
            .write(toFile: file, atomically: false, encoding: .utf8)
        let package = directory + "/\(suffix).deb"
        try Command.check(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, package])
        return package
    }
}
