internal import Paths

/// Whether something else changes endpoints as well.
enum OtherManagersCheck {
    static let name = "managers"

    static func examine(_ host: HostState) -> [Finding] {
        var findings: [Finding] = []
        for process in host.managers {
            switch process.name {
            case "mptcpd":
                findings.append(
                    Finding(
                        .warn, name, "mptcpd (process \(process.id)) changes endpoints and limits as well",
                        [.command("systemctl disable --now mptcp.service || kill \(process.id)")]))
            case "NetworkManager" where host.isManaged:
                findings.append(
                    Finding(
                        .warn, name,
                        "NetworkManager (process \(process.id)) adds endpoints as well, unless its connections have mptcp-flags 1",
                        [
                            .command(
                                "printf '[connection-braid]\\nconnection.mptcp-flags=1\\n' "
                                    + ">/etc/NetworkManager/conf.d/90-braid.conf && systemctl restart NetworkManager")
                        ]))
            default: break
            }
        }
        if !findings.isEmpty { return findings }
        let others = host.managers.map(\.name)
        return [
            Finding(
                .pass, name, others.isEmpty ? "none" : "\(others.joined(separator: ", ")), which may keep the endpoints"
            )
        ]
    }
}
