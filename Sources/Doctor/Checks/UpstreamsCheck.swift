internal import Configuration
internal import LinuxSystem
internal import MultipathTCP

/// Whether what the relays dial can be reached.
enum UpstreamsCheck {
    static let name = "upstream"

    static func examine(_ host: HostState, cancellation: CInt?) -> [Finding] {
        var findings: [Finding] = []
        var tried: Set<UpstreamAddress> = []
        for relay in host.settings?.relays ?? [] {
            for upstream in relay.upstream where tried.insert(upstream.value).inserted {
                guard let place = upstream.value.hostPort, let target = Doctor.Target(place) else { continue }
                findings.append(
                    examine(upstream, target, relay: relay.name, isMultipath: upstream.value.isMultipath, cancellation))
            }
        }
        return findings
    }

    private static func examine(
        _ upstream: Located<UpstreamAddress>, _ target: Doctor.Target, relay: String, isMultipath: Bool,
        _ cancellation: CInt?
    ) -> Finding {
        var dialer = MultipathDialer()
        dialer.multipath = isMultipath
        // Below three seconds: later the kernel would give MPTCP up, and remember it.
        dialer.timeout = .milliseconds(2800)
        dialer.cancellation = cancellation
        do throws(DialError) {
            let connection = try dialer.connect(host: target.host, port: target.port)
            if isMultipath, let reason = connection.notMultipathReason {
                return Finding(
                    .warn, name, "\(upstream.value) of relay \(relay) answers, but not over multipath: \(reason)",
                    [.advice("braid doctor \(target) tells which link")])
            }
            return Finding(.pass, name, "\(upstream.value) of relay \(relay) answers")
        } catch {
            return Finding(
                .fail, name, "\(upstream.value) of relay \(relay) cannot be reached: \(error)",
                [.advice("start what is to listen there (braid run at the far end), or correct \(upstream.location)")])
        }
    }
}

extension Doctor.Target {
    init?(_ place: HostPort) {
        switch place.host {
        case .any: return nil
        case .name(let name): self.init(host: name, port: place.port)
        case .address(let address):
            self.init(host: "\(address)" + (place.scope.map { "%\($0)" } ?? ""), port: place.port)
        }
    }
}
