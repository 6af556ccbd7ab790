import Foundation

/// The Debian package under test, and the bare systems to install it on.
enum DebianPackage {
    private static let project = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// The program as it is installed: the release build that `make test` makes first.
    private static let program = project + "/.build/release/braid"

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

    /// Builds the package in `directory` and answers its path.
    static func build(in directory: String) throws -> String {
        let result = try Command.check([project + "/Scripts/deb", program, directory], seconds: 120)
        return String(result.lines.last ?? "")
    }

    /// The same package with a later version.
    static func later(_ package: String, in directory: String) throws -> String {
        let tree = directory + "/later"
        try Command.check(["dpkg-deb", "--raw-extract", package, tree])
        let control = tree + "/DEBIAN/control"
        try String(contentsOfFile: control, encoding: .utf8)
            .replacing(/Version: (.*)/) { "Version: \($0.1)+later" }
            .write(toFile: control, atomically: false, encoding: .utf8)
        try Command.check(["dpkg-deb", "--root-owner-group", "--build", tree, directory + "/later.deb"])
        return directory + "/later.deb"
    }
}
