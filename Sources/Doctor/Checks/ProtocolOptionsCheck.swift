internal import Configuration
internal import MultipathTCP

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

/// TCP Fast Open, which loses time on MPTCP.
enum FastOpenCheck {
    static let name = "fast-open"

    static func examine(_ host: HostState) -> [Finding] {
        var findings: [Finding] = []
        for relay in host.settings?.relays ?? [] where relay.listenSocket.fastOpen || relay.upstreamSocket.fastOpen {
            let place = relay.locations["socket.fast-open", "socket.listen.fast-open", "socket.upstream.fast-open"]
            findings.append(
                Finding(
                    .warn, name,
                    "relay \(relay.name) uses Fast Open: on MPTCP, data in the SYN reached the peer's program only seconds later",
                    [.advice("\(place): write fast-open = false")]))
        }
        let setting = "net.ipv4.tcp_fastopen"
        // 2: servers; 0x200, 0x400: without a cookie, without asking. 1 (clients that ask) is as the kernel ships it.
        if let value = host.number(setting), value & 0x602 != 0 {
            findings.append(
                Finding(
                    .warn, name,
                    "this host accepts data in SYNs (\(setting) is \(value)): on MPTCP it reached the program only seconds later",
                    Sysctl.set(setting, "\(value & ~0x602)")))
        }
        return findings.isEmpty ? [Finding(.pass, name, "not used")] : findings
    }
}
