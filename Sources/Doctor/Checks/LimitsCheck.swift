internal import Configuration
internal import MultipathTCP

/// How many subflows the kernel makes and accepts.
enum LimitsCheck {
    static let name = "limits"

    static func examine(_ host: HostState) -> [Finding] {
        let paths: HostState.PathManagerState
        switch host.pathManager {
        case .success(let state): paths = state
        case .failure(.unsupported): return []
        case .failure(let error): return [Finding(.warn, name, "endpoints and limits cannot be read: \(error)")]
        }
        let limits = paths.limits
        let present =
            "\(limits.subflows) subflows besides the first, \(limits.acceptedAnnouncements) announced addresses"
        if host.isManaged { return [Finding(.pass, name, "\(present); braid run sets them (paths.manage)")] }
        let fix: [Remedy] = [
            .command("ip mptcp limits set subflow 8 add_addr_accepted \(limits.acceptedAnnouncements)"),
            .advice("to keep it: manage = true in [paths], or that command in a unit that runs at boot"),
        ]
        if limits.subflows == 0 {
            return [Finding(.fail, name, "no second subflow is ever made or accepted (the subflow limit is 0)", fix)]
        }
        let links = host.uplinks.count
        if limits.subflows < links - 1 {
            return [
                Finding(
                    .fail, name, "\(links) links, but at most \(limits.subflows) subflows besides the first", fix)
            ]
        }
        if let settings = host.settings, settings.paths.locations.isSet("max-subflows"),
            limits.subflows < settings.paths.maxSubflows
        {
            return [
                Finding(
                    .warn, name,
                    "\(present): fewer than max-subflows = \(settings.paths.maxSubflows), which only has effect with manage = true",
                    fix)
            ]
        }
        let opens = paths.endpoints.contains { $0.flags.contains(.subflow) }
        if links < 2, !opens, limits.acceptedAnnouncements == 0, host.dialsMultipath {
            return [
                Finding(
                    .warn, name, "one link and no announced address is accepted: a connection stays on one path",
                    [.command("ip mptcp limits set subflow \(limits.subflows) add_addr_accepted 8")])
            ]
        }
        return [Finding(.pass, name, present)]
    }
}
