internal import Configuration
internal import MultipathTCP

/// Whether peers may join to the address that they dialled.
enum InitialAddressCheck {
    static let name = "join-initial-address"

    static func examine(_ host: HostState) -> [Finding] {
        let setting = "net.mptcp.allow_join_initial_addr_port"
        guard host.number(setting) == 0 else {
            return [Finding(.pass, name, "peers may join to the address they dialled")]
        }
        let announces = host.paths?.endpoints.contains { $0.flags.contains(.signal) } ?? false
        if announces {
            return [Finding(.pass, name, "peers join only to announced addresses (\(setting) is 0)")]
        }
        return [
            Finding(
                host.acceptsMultipath ? .fail : .warn, name,
                "peers are told not to join to the address they dialled, and none is announced: no second subflow reaches this "
                    + "host (\(setting) is 0)", Sysctl.set(setting, "1"))
        ]
    }
}
