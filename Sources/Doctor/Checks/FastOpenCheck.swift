internal import Configuration

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
