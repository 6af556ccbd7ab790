/// Commands that change kernel settings.
enum Sysctl {
    /// Where what is to last is written: after the file that the package ships.
    static let file = "/etc/sysctl.d/61-braid.conf"

    /// Sets it now, and after each reboot.
    static func set(_ name: String, _ value: String) -> [Remedy] {
        let quoted = value.contains(" ") ? "'\(value)'" : value
        return [
            .command("sysctl -w \(name)=\(quoted)"),
            .lasting("echo '\(name) = \(value)' >>\(file)"),
        ]
    }
}
