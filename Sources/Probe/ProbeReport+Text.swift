internal import MultipathTCP

extension ProbeReport {
    /// What to tell on standard error: why the exit status is not 0; `nil` when it is.
    public var complaint: String? {
        if let failure { return "\(target): \(failure)" }
        if exitStatus == 0 { return nil }
        return roundTrips.count == 0 ? "\(target): no echo" : "\(target): not multipath, which was required"
    }

    /// The summary for humans, line by line; none without a connection.
    public var summaryLines: [String] {
        guard isConnected else { return [] }
        var lines = ["--- \(target) ---"]
        lines.append("\(sent) sent, \(roundTrips.count) echoed")
        if let summary = roundTrips.summary {
            let times = [summary.minimum, summary.mean, summary.percentile99, summary.maximum]
            lines.append("rtt min/avg/p99/max = \(times.map(\.asMilliseconds).joined(separator: "/")) ms")
        }
        if let notMultipathReason {
            lines.append("multipath: no (fell back to TCP: \(notMultipathReason))")
            return lines
        }
        lines.append("multipath: yes")
        lines.append("subflows: \(subflows.count)")
        for subflow in subflows {
            let roundTrip = (UInt64(subflow.tcp.roundTripMicroseconds) * 1000).asMilliseconds
            lines.append(
                "  \(subflow.local) -> \(subflow.remote) rtt \(roundTrip) ms, \(subflow.tcp.bytesSent) bytes sent")
        }
        return lines
    }
}
