internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import Paths
internal import ServiceManager
internal import SystemPackage

/// What the log says of links and of those who change them.
struct PathNotices {
    let logger: Logger

    // MARK: Links

    /// Says what changed in a link; `before` is `nil` for a new one. `note` is what there is to say of a change of role.
    func write(from before: SupervisedLink?, to link: SupervisedLink, note: String = "") {
        if before?.state != link.state {
            link.isUsable ? writeUp(link) : writeDown(link, link.state.text)
        } else if let before, link.isUsable, before.status.addresses != link.status.addresses {
            writeUp(link)
        }
        if let before, before.isBackup != link.isBackup || before.guardReason != link.guardReason {
            writeRole(link, note)
        }
    }

    /// A link of `*` whose interface is no more, or one that is not configured any more.
    func writeGone(_ link: SupervisedLink, _ why: String) {
        if link.isUsable { writeDown(link, why) }
    }

    private func writeUp(_ link: SupervisedLink) {
        let addresses = link.status.addresses.map(\.host)
        logger.event(
            .linkUp, "\(link.name) is up: \(([link.status.interfaceName] + addresses).joined(separator: ", "))",
            metadata: fields(link))
    }

    private func writeDown(_ link: SupervisedLink, _ why: String) {
        let name = link.status.interfaceName
        let place = name.isEmpty || name == link.name ? "" : " (\(name))"
        var metadata = fields(link)
        metadata["why"] = "\(why)"
        logger.event(.linkDown, "\(link.name)\(place) is down: \(why)", metadata: metadata)
    }

    private func writeRole(_ link: SupervisedLink, _ note: String) {
        let reasons = [link.why, note].filter { !$0.isEmpty }.joined(separator: "; ")
        let why = reasons.isEmpty ? "" : " (\(reasons))"
        logger.event(
            .linkBackup, "\(link.name) is \(link.isBackup ? "backup" : "no longer backup")\(why)",
            metadata: [
                "link": "\(link.name)", "interface": "\(link.status.interfaceName)",
                "backup": "\(link.isBackup ? "yes" : "no")", "why": "\(reasons)",
            ])
    }

    /// One peer's connections keep away from a link, or use it again.
    func write(_ decision: PeerGuards.Decision, link: SupervisedLink) {
        let peer = decision.peer.host
        let reasons = [decision.decision.reason?.description ?? "", decision.decision.note].filter { !$0.isEmpty }
            .joined(separator: "; ")
        let isAvoided = decision.decision.reason != nil
        logger.event(
            .linkAvoided,
            "connections to \(peer) \(isAvoided ? "keep away from" : "use") \(link.name)\(isAvoided ? "" : " again") (\(reasons))",
            metadata: [
                "link": "\(link.name)", "interface": "\(link.status.interfaceName)", "remote": "\(peer)",
                "avoided": "\(isAvoided ? "yes" : "no")", "why": "\(reasons)",
            ])
    }

    private func fields(_ link: SupervisedLink) -> Logger.Metadata {
        let addresses = link.status.addresses.isEmpty ? link.lastAddresses : link.status.addresses
        return [
            "link": "\(link.name)", "interface": "\(link.status.interfaceName)",
            "address": "\(addresses.map(\.host).joined(separator: ","))", "state": "\(link.state.rawValue)",
        ]
    }

    func write(_ stall: SubflowStall, link: String?) {
        let silence = stall.silence / 1_000_000
        logger.event(
            .subflowLeft,
            "the subflow \(stall.local) to \(stall.remote) acknowledged nothing for \(silence) ms and was closed",
            metadata: [
                "link": "\(link ?? "")", "local": "\(stall.local)", "remote": "\(stall.remote)",
                "connection": .stringConvertible(stall.connection),
                "silence-usec": .stringConvertible(stall.silence / 1000),
            ])
    }

    // MARK: The kernel

    /// `paths.manage` asks for what the system does not give.
    func writeUnmanaged(_ error: PathManagerError) {
        guard case .needsNetAdmin = error else {
            return write(error, during: "managing endpoints (paths.manage)")
        }
        logger.event(
            .capabilityMissing,
            """
            paths.manage = true needs CAP_NET_ADMIN, which this process has not: endpoints and limits stay as they are, lost \
            subflows do not come back; install braid-paths.conf as /etc/systemd/system/braid.service.d/paths.conf \
            (AmbientCapabilities=CAP_NET_ADMIN), then systemctl daemon-reload && systemctl restart braid
            """, metadata: ["capability": "CAP_NET_ADMIN", "feature": "paths.manage"])
    }

    /// `paths.routing` asks for what the system does not give.
    func writeUnrouted(_ error: NetlinkError) {
        guard case .refused(.notPermitted, _) = error else {
            return write(.netlink(error), during: "keeping routes (paths.routing)")
        }
        logger.event(
            .capabilityMissing,
            """
            paths.routing = true needs CAP_NET_ADMIN, which this process has not: rules and routes stay as they are; install \
            braid-paths.conf as /etc/systemd/system/braid.service.d/paths.conf (AmbientCapabilities=CAP_NET_ADMIN), then \
            systemctl daemon-reload && systemctl restart braid
            """, metadata: ["capability": "CAP_NET_ADMIN", "feature": "paths.routing"])
    }

    func write(_ refusal: SourceRouting.Refusal) {
        write(.netlink(refusal.error), during: refusal.operation)
    }

    func write(_ error: PathManagerError, during operation: String) {
        logger.event(
            .pathRefused, "\(operation): \(error)", metadata: ["operation": "\(operation)", "reason": "\(error)"])
    }

    // MARK: Others

    func write(_ manager: RunningManager) {
        logger.event(
            .otherPathManager,
            """
            \(manager.name) runs here and may change MPTCP endpoints, which Braid manages (paths.manage); let one of them do it
            """,
            metadata: [
                "process": "\(manager.name)", "reason": "\(manager.name) runs (process \(manager.id))",
            ])
    }

    func write(_ notice: EndpointNotice) {
        let text =
            switch notice {
            case .foreign(let endpoint): "endpoint \(endpoint) is not of a link of Braid's, and is left alone"
            case .foreignVanished(let endpoint): "endpoint \(endpoint), which was not Braid's, is gone"
            case .removedByOther(let endpoint):
                "endpoint \(endpoint) was removed by something else; Braid adds it again"
            case .changedByOther(let endpoint):
                "endpoint \(endpoint) was changed by something else; Braid changes it back"
            case .contested(let endpoint, let pause):
                """
                endpoint \(endpoint) was removed or changed by something else again and again; Braid sets it right in \
                \(pause / 1_000_000_000) s: let one of them manage endpoints
                """
            case .limitsChangedByOther(let limits):
                """
                the limits were changed by something else (subflows \(limits.subflows), announced \
                \(limits.acceptedAnnouncements)); Braid changes them back
                """
            case .noRoom(let link, let address):
                """
                \(link): \(address.host) gets no endpoint, for the kernel keeps at most \(PathEndpoint.maximumCount); \
                paths.exclude or explicit [[paths.link]] tables choose which links matter
                """
            }
        logger.event(.otherPathManager, "\(text)", metadata: ["reason": "\(text)"])
    }
}
