internal import MultipathTCP

/// What has gone wrong since boot, as the kernel counted it.
enum CountersCheck {
    static let name = "counters"

    /// Counters of trouble, what of, and what it means.
    private static let troubles: [(counter: String, of: [String], meaning: String)] = [
        ("MPCapableFallbackACK", ["MPCapableSYNRX"], "clients' connections lost MPTCP in the handshake"),
        ("MPCapableFallbackSYNACK", ["MPCapableSYNTX"], "peers answered without MPTCP, or the path removed it"),
        ("MPCapableSYNTXDrop", ["MPCapableSYNTX"], "SYNs with MPTCP got no answer"),
        ("MPCapableDataFallback", ["MPCapableSYNRX", "MPCapableSYNTX"], "the path removed MPTCP from the first data"),
        ("DssFallback", ["MPCapableSYNRX", "MPCapableSYNTX"], "the path removed MPTCP from later data"),
        ("DSSCorruptionFallback", ["MPCapableSYNRX", "MPCapableSYNTX"], "the path changed MPTCP's sequence numbers"),
        ("DataCsumErr", ["MPCapableSYNRX", "MPCapableSYNTX"], "the path changed data"),
        ("MPFailRx", ["MPCapableSYNRX", "MPCapableSYNTX"], "peers saw changed data"),
        (
            "MPJoinNoTokenFound", ["MPJoinSynRx"],
            "joins to connections that this host does not know (a proxy or balancer between?)"
        ),
        ("MPJoinSynAckHMacFailure", ["MPJoinSynAckRx"], "answers to joins with a wrong key"),
        ("MPJoinAckHMacFailure", ["MPJoinSynRx"], "joins with a wrong key"),
        ("MPJoinRejected", ["MPJoinSynRx"], "joins refused, being more than the limit"),
        (
            "MPJoinSynTxBindErr", ["MPJoinSynTx"],
            "joins that could not be bound to their endpoint's address or interface"
        ),
        ("MPJoinSynTxConnectErr", ["MPJoinSynTx"], "joins for which there was no route"),
    ]

    static func examine(_ host: HostState) -> [Finding] {
        guard let counters = host.counters else {
            return [Finding(.pass, name, "the kernel's counters cannot be read")]
        }
        var findings: [Finding] = []
        for trouble in troubles {
            let count = counters["MPTcpExt\(trouble.counter)"] ?? 0
            let whole = trouble.of.reduce(0) { $0 + (counters["MPTcpExt\($1)"] ?? 0) }
            // A few among thousands are the weather of the Internet.
            guard count > 0, count * 100 >= whole else { continue }
            findings.append(
                Finding(
                    .warn, name, "\(count) of \(whole) since boot: \(trouble.meaning) (MPTcpExt\(trouble.counter))",
                    [.advice(advice(for: trouble.counter))]))
        }
        let made = (counters["MPTcpExtMPCapableSYNTX"] ?? 0) + (counters["MPTcpExtMPCapableSYNRX"] ?? 0)
        return findings.isEmpty ? [Finding(.pass, name, "nothing unusual in \(made) connections since boot")] : findings
    }

    private static func advice(for counter: String) -> String {
        switch counter {
        case "MPJoinRejected": "at both ends: ip mptcp limits set subflow 8 add_addr_accepted 8"
        case "MPJoinSynTxBindErr", "MPJoinSynTxConnectErr":
            "see the checks endpoints and routes; nstat -az 'MPTcpExt*' counts on"
        case "MPCapableFallbackACK", "MPJoinNoTokenFound", "MPJoinAckHMacFailure":
            "on the clients' side run braid doctor HOST:PORT with this host's address: it tells which link"
        default: "braid doctor HOST:PORT tells which link, and whether it is so now"
        }
    }
}
