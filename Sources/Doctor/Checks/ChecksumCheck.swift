/// Whether every byte is summed.
enum ChecksumCheck {
    static let name = "checksum"

    static func examine(_ host: HostState) -> [Finding] {
        let setting = "net.mptcp.checksum_enabled"
        if host.number(setting) == 1 {
            return [
                Finding(
                    .warn, name,
                    "both ends sum every byte in software (\(setting) is 1): it only helps where a middlebox rewrites payload",
                    Sysctl.set(setting, "0"))
            ]
        }
        return [Finding(.pass, name, "off")]
    }
}
