internal import Configuration
internal import Forwarding
internal import Logging
internal import MultipathTCP
internal import ServiceManager

/// Says what a loop noticed about a relay: each at most once until it is over.
struct RelayNotices {
    let logger: Logger
    let relays: RelayRoster

    func write(_ report: LoopReport) {
        switch report {
        case .optionNotSet(let relay, let failure):
            logger.event(
                .optionUnsupported, "\(name(relay)): \(failure.option) cannot be set: \(failure.error)",
                metadata: [
                    "relay": "\(name(relay))", "option": "\(failure.option)", "reason": "\(failure.error)",
                ])
        case .acceptBackoff(let relay, let error):
            logger.event(
                .acceptBackoff,
                "\(name(relay)): out of descriptors or memory (\(error)): new clients wait; raise LimitNOFILE= or limits.connections",
                metadata: ["relay": "\(name(relay))", "listen": "\(listen(relay))", "reason": "\(error)"])
        case .acceptResumed(let relay):
            logger.notice("\(name(relay)): accepting again", metadata: ["relay": "\(name(relay))"])
        case .limitReached(let relay):
            let limit = relays[relay]?.maxConnections ?? 0
            let reason = limit > 0 ? "max-connections = \(limit)" : "limits.connections"
            logger.event(
                .connectionLimitReached, "\(name(relay)): no place is free (\(reason)): further clients wait",
                metadata: ["relay": "\(name(relay))", "limit": .stringConvertible(limit)])
        case .listenerFailed(let relay, let error):
            logger.event(
                .listenerFailed, "\(name(relay)): a listener has failed: \(error)",
                metadata: ["relay": "\(name(relay))", "listen": "\(listen(relay))", "reason": "\(error)"])
        case .multipathUnavailable(let relay, let reason):
            logger.event(
                .multipathUnavailable, "upstreams are dialled over plain TCP: \(reason.description)",
                metadata: ["relay": "\(name(relay))", "reason": "\(reason.description)"])
        case .active, .connectionOpened, .connectionEnded, .resolve, .resolveDestination, .checkUser, .memberFailed,
            .memberConnected:
            break
        case .relayEmptied, .connectionsChanged, .drained, .failed: break
        case .pathQuality, .linksCounted, .listed, .closeAnswered, .subflowStalled, .connectionStalled: break
        case .subflowChanged, .fellBack: break
        }
    }

    private func name(_ relay: Int) -> String {
        relays[relay]?.name ?? "relay \(relay)"
    }

    private func listen(_ relay: Int) -> String {
        relays[relay]?.listen.map { $0.value.description }.joined(separator: ",") ?? ""
    }
}
