extension RelaySettings {
    /// Which combinations of this relay's keys cannot work.
    func conflicts() -> [Diagnostic] {
        destinationConflicts() + openRelayConflicts() + proxyConflicts() + uselessKeys() + tlsConflicts()
    }

    private var choosesDestination: Bool { listen.contains { $0.value.choosesDestination } }

    /// Every listener must give the upstream a destination, or none.
    private func destinationConflicts() -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for upstream in upstream {
            if upstream.value.usesChosenDestination {
                guard let fixed = listen.first(where: { !$0.value.choosesDestination }) else { continue }
                diagnostics.append(
                    Diagnostic(
                        at: upstream.location,
                        "'upstream' has \"\(upstream.value)\", which needs a destination, and \"\(fixed.value)\" gives none",
                        "write an upstream with HOST:PORT, or listen on socks5://, http://, transparent:// or convert://"
                    ))
            } else if !ignoreDestination, let chosen = listen.first(where: { $0.value.choosesDestination }) {
                diagnostics.append(
                    Diagnostic(
                        at: upstream.location,
                        "'upstream' has \"\(upstream.value)\", which ignores the destination that clients of \"\(chosen.value)\" choose",
                        "write direct+tcp://, direct+mptcp:// or convert://, or add ignore-destination = true"))
            }
            if let address = upstream.value.hostPort,
                let own = listen.first(where: { $0.value.hostPort == address })
            {
                diagnostics.append(
                    Diagnostic(
                        at: upstream.location,
                        "'upstream' has \"\(upstream.value)\", where this relay itself listens (\(own.location))",
                        "dial another address or port"))
            }
        }
        if ignoreDestination, upstream.contains(where: \.value.usesChosenDestination) {
            diagnostics.append(
                Diagnostic(
                    at: locations["ignore-destination"],
                    "'ignore-destination' contradicts an upstream that needs the destination",
                    "remove it"))
        }
        return diagnostics
    }

    private func proxyConflicts() -> [Diagnostic] {
        guard acceptProxy else {
            guard !trustedProxies.isEmpty else { return [] }
            return [
                Diagnostic(
                    at: locations["trusted-proxies"], "'trusted-proxies' is without effect",
                    "add accept-proxy = true, or remove it")
            ]
        }
        guard trustedProxies.isEmpty, let open = listen.first(where: { $0.value.isReachableFromOutside }) else {
            return []
        }
        return [
            Diagnostic(
                at: locations["accept-proxy"],
                "'accept-proxy' would believe anyone who reaches \"\(open.value)\"",
                "add trusted-proxies = [\"NETWORK/BITS\"]")
        ]
    }

    /// Keys that nothing in this relay heeds.
    private func uselessKeys() -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        func refuse(_ key: String, _ why: String, _ remedy: String, if condition: Bool) {
            guard condition else { return }
            diagnostics.append(Diagnostic(at: locations[key], "'\(key)' \(why)", remedy))
        }
        let listeners = listen.map(\.value)
        let upstreams = upstream.map(\.value)
        let speaksConvert =
            listeners.contains { if case .convert = $0 { true } else { false } }
            || upstreams.contains { if case .convert = $0 { true } else { false } }
        let hasUsers = listeners.contains {
            switch $0 {
            case .socks5, .http: true
            default: false
            }
        }
        refuse(
            "key-file", "is for convert://, which this relay has not",
            "use convert:// in 'listen' or 'upstream', or remove it",
            if: keyFile != nil && !speaksConvert)
        refuse(
            "users-file", "is for socks5:// and http:// listeners, which this relay has not", "remove it",
            if: usersFile != nil && !hasUsers)
        refuse(
            "require-multipath", "needs MPTCP, and neither 'listen' nor 'upstream' has it",
            "use mptcp:// in 'listen' or 'upstream', or remove it",
            if: requireMultipath && !listeners.contains(where: \.mayBeMultipath)
                && !upstreams.contains(where: \.isMultipath))
        refuse(
            "destinations", "is for listeners whose clients choose the destination, which this relay has not",
            "remove it",
            if: destinations != nil && !choosesDestination)
        refuse(
            "ignore-destination", "is for listeners whose clients choose the destination, which this relay has not",
            "remove it", if: ignoreDestination && !choosesDestination)
        refuse(
            "insecure-open-relay", "is for listeners whose clients choose the destination, which this relay has not",
            "remove it", if: insecureOpenRelay && !choosesDestination)
        refuse("allow", "is empty, which lets nobody in", "write networks, or remove it", if: allow?.isEmpty == true)
        refuse(
            "health-check", "has no upstream with an address to check", "remove it",
            if: healthCheck != nil && upstreams.allSatisfy { $0.isBuiltIn || $0 == .directTCP || $0 == .directMPTCP })
        return diagnostics
    }
}

extension ListenAddress {
    /// Whether other hosts may be able to connect: not with a Unix socket, a loopback address, `localhost` or `%lo`.
    /// Where a socket from systemd listens is unknown, and so it counts as reachable.
    var isReachableFromOutside: Bool {
        switch self {
        case .unix: false
        case .descriptor: true
        default: hostPort?.isLoopback == false
        }
    }

    /// Whether its connections can be MPTCP; a socket from systemd can be of either kind.
    var mayBeMultipath: Bool {
        switch self {
        case .mptcp, .convert, .descriptor: true
        case .tcp, .unix, .socks5, .http, .transparent: false
        }
    }
}
