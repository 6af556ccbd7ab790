import Foundation
import Testing

/// A system whose systemd runs the service: this host's own, or that of a bare Debian tree.
struct SystemdSystem: Sendable, CustomTestStringConvertible {
    /// What it is called.
    let name: String
    /// Its tree.
    let root: String

    var testDescription: String { name }

    /// This host's own: systemd 252 on Debian 12.
    static let host = SystemdSystem(name: "host", root: "/")

    /// The host's, and Debian 13's (systemd 257) where `Scripts/test-trees` has made its tree.
    static let all: [SystemdSystem] = {
        let tree = DebianPackage.tree("trixie")
        guard FileManager.default.fileExists(atPath: tree + "/etc/debian_version") else { return [host] }
        return [host, SystemdSystem(name: "trixie", root: tree)]
    }()
}
