internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import ServiceManager
internal import SystemPackage

/// Turns the loops' records of ended connections into log records.
struct ConnectionLog {
    let logger: Logger
    /// By relay id.
    var relays: RelayRoster
    /// `log-connections`.
    var isOn: Bool
    /// Relays whose upstreams were said to fail, until one is reached again.
    private var failing: Set<Int> = []
    /// Upstreams that were said to fall back, until a connection to them is multipath again.
    private var fellBack: Set<FallbackPlace> = []
    private var refusals = RefusalLimit()

    private struct FallbackPlace: Hashable {
        let relay: Int
        let upstream: Int
    }

    init(logger: Logger, relays: RelayRoster, isOn: Bool) {
        self.logger = logger
        self.relays = relays
        self.isOn = isOn
    }

    mutating func write(_ record: ConnectionRecord) {
        guard let relay = relays[record.relay] else { return }
        noteFallback(record, relay)
        noteFailure(record, relay)
        // Who was turned away is always said, but not without end.
        guard isOn || record.result.isRefusal && refusals.mayLog(.now()) else { return }
        let upstream = upstreamText(record, relay)
        logger.event(
            .connectionEnded, "\(sentence(record, relay, upstream))",
            metadata: metadata(record, relay, upstream))
    }

    /// When to come back although nothing ended.
    var deadline: MonotonicTime { refusals.deadline }

    /// Says how many refusals were not logged in the second that is over.
    mutating func meetDeadline(_ now: MonotonicTime) {
        let count = refusals.takeSuppressed(now)
        guard count > 0 else { return }
        logger.event(
            .refusalsSuppressed,
            "\(count) more connections were refused in the last second; only \(RefusalLimit.perSecond) are logged with log-connections = false",
            metadata: ["records": .stringConvertible(count)])
    }

    private func metadata(_ record: ConnectionRecord, _ relay: RelaySettings, _ upstream: String) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "connection": .stringConvertible(record.id),
            "relay": "\(relay.name)",
            "client": "\(record.client)",
            "upstream": "\(upstream)",
            "multipath": "\(record.multipath.word)",
            "subflows": .stringConvertible(record.subflows),
            "bytes-up": .stringConvertible(record.bytesUp),
            "bytes-down": .stringConvertible(record.bytesDown),
            "duration-usec": .stringConvertible(record.duration / 1000),
            "connect-usec": .stringConvertible(record.connectTime / 1000),
            "result": "\(record.result.word)",
        ]
        if record.error.rawValue != 0 { fields["error"] = "\(record.error)" }
        if let destination = record.notes?.destination { fields["destination"] = "\(destination)" }
        if let user = record.notes?.user { fields["user"] = "\(user)" }
        if let reason = record.notes?.refusal { fields["reason"] = "\(reason)" }
        if record.multipath != .yes, let reason = record.notMultipathReason {
            fields["fallback-reason"] = "\(reason.identifier)"
        }
        return fields
    }

    private func sentence(_ record: ConnectionRecord, _ relay: RelaySettings, _ upstream: String) -> String {
        let destination = record.notes?.destination.map { "\($0) by " } ?? ""
        var text = "\(relay.name): \(record.client) to \(destination)\(upstream): \(record.result.word)"
        if let reason = record.notes?.refusal {
            text += " (\(reason))"
        } else if record.error.rawValue != 0 {
            text += " (\(record.error))"
        }
        text += ", \(record.bytesUp) bytes up, \(record.bytesDown) down in \(Self.seconds(record.duration))"
        switch record.multipath {
        case .yes: text += ", multipath, \(record.subflows) subflow\(record.subflows == 1 ? "" : "s")"
        case .fallback:
            text += ", fell back to TCP"
            if let reason = record.notMultipathReason { text += " (\(reason))" }
        case .no:
            if let reason = record.notMultipathReason { text += ", not multipath (\(reason))" }
        }
        return text
    }

    /// What to do about it.
    private static func remedy(_ reason: NotMultipathReason, target: SocketAddress) -> String {
        switch reason {
        case .blackholeDetected:
            "`sysctl -w net.mptcp.blackhole_timeout=0` ends that, and keeps it from coming back"
        case .synDropped:
            "`braid doctor \(target)` says over which link; `sysctl -w net.mptcp.blackhole_timeout=0` keeps the kernel from "
                + "switching MPTCP off for all others"
        case .disabledBySysctl: "`sysctl -w net.mptcp.enabled=1` switches it on"
        default: "`braid doctor \(target)` says over which link"
        }
    }

    /// Milliseconds below ten seconds, else tenths of seconds.
    private static func seconds(_ nanoseconds: UInt64) -> String {
        if nanoseconds < 10_000_000_000 { return "\(nanoseconds / 1_000_000) ms" }
        return "\(nanoseconds / 1_000_000_000).\(nanoseconds / 100_000_000 % 10) s"
    }

    /// The upstream as configured, with the address that was connected to in place of a name.
    private func upstreamText(_ record: ConnectionRecord, _ relay: RelaySettings) -> String {
        guard relay.upstream.indices.contains(record.upstream) else {
            return relay.upstream.map { $0.value.description }.joined(separator: ",")
        }
        let configured = relay.upstream[record.upstream].value
        switch configured {
        case .tcp where record.upstreamAddress != .none: return "tcp://\(record.upstreamAddress)"
        case .mptcp where record.upstreamAddress != .none: return "mptcp://\(record.upstreamAddress)"
        case .convert where record.upstreamAddress != .none: return "convert://\(record.upstreamAddress)"
        case .directTCP where record.upstreamAddress != .none: return "direct+tcp://\(record.upstreamAddress)"
        case .directMPTCP where record.upstreamAddress != .none: return "direct+mptcp://\(record.upstreamAddress)"
        default: return configured.description
        }
    }

    /// Says once that a relay's upstreams cannot be reached; again only after one was in between.
    private mutating func noteFailure(_ record: ConnectionRecord, _ relay: RelaySettings) {
        // A client that chooses a destination which does not answer says nothing about the relay.
        if record.notes?.destination != nil { return }
        guard record.result == .connectFailed else {
            if record.connectTime > 0 { failing.remove(record.relay) }
            return
        }
        guard failing.insert(record.relay).inserted else { return }
        let upstream = relay.upstream.map { $0.value.description }.joined(separator: ",")
        logger.event(
            .upstreamFailed, "\(relay.name): \(upstream) cannot be reached: \(record.error)",
            metadata: ["relay": "\(relay.name)", "upstream": "\(upstream)", "reason": "\(record.error)"])
    }

    /// Says once that an upstream's connections fall back; again only after they were multipath in between.
    private mutating func noteFallback(_ record: ConnectionRecord, _ relay: RelaySettings) {
        guard relay.upstream.indices.contains(record.upstream), relay.upstream[record.upstream].value.isMultipath else {
            return
        }
        let place = FallbackPlace(relay: record.relay, upstream: record.upstream)
        switch record.multipath {
        case .no: break
        case .yes: fellBack.remove(place)
        case .fallback:
            guard fellBack.insert(place).inserted else { return }
            let upstream = upstreamText(record, relay)
            let verb = record.result == .refused ? "are refused" : "fall back to plain TCP"
            let reason = record.notMultipathReason ?? .peerOrPathRefused
            let remedy = Self.remedy(reason, target: record.upstreamAddress)
            logger.event(
                .fallbackDetected,
                "\(relay.name): connections to \(upstream) \(verb): \(reason); \(remedy)",
                metadata: ["relay": "\(relay.name)", "upstream": "\(upstream)", "reason": "\(reason)"])
        }
    }
}

extension ConnectionResult {
    /// The client was turned away for what it is or says.
    fileprivate var isRefusal: Bool {
        switch self {
        case .refused, .handshakeFailed, .handshakeTimeout: true
        default: false
        }
    }
}
